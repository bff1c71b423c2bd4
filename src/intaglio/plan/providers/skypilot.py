# SPDX-License-Identifier: Apache-2.0
"""SkyPilot's managed jobs: it rents, moves the checkpoint, and goes on after a preemption.

Source: SkyPilot documentation, "Task YAML" and "Managed jobs", fields as of its release 0.10.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from intaglio.plan.market import SPOT
from intaglio.plan.providers.written import Request

_MOUNT = "/checkpoint"


@dataclass(frozen=True)
class SkyPilot:
    """A task of YAML for each machine."""

    program: str = "sky"
    package: str = "pip install 'skypilot[aws]'"
    ending: str = ".yaml"

    def text(self, request: Request) -> str:
        """Return a task. Values are JSON, which is YAML."""
        mode = request.mode
        where = {"zone": mode.zone} if mode.kind == SPOT else {"region": mode.zone}
        training = json.dumps(asdict(request.training))
        task: dict[str, Any] = {
            "name": request.name,
            "resources": {
                "cloud": "aws",
                "instance_type": mode.size,
                "use_spot": mode.kind == SPOT,
                **where,
            },
            "file_mounts": {_MOUNT: {"name": request.bucket, "mode": "MOUNT"}},
            "envs": {"TRAINING": training},
            "setup": "pip install 'intaglio[train]'",
            "run": (
                'printf "%s" "$TRAINING" > training.json\n'
                f"python -m intaglio.plan.worker training.json {_MOUNT}/checkpoint\n"
            ),
        }
        lines = [
            f"# from {request.begin} s to {request.end} s after the start of the plan",
            *(f"{key}: {json.dumps(value)}" for key, value in task.items()),
        ]
        return "\n".join(lines) + "\n"

    def command(self, path: Path) -> Sequence[str]:
        """Return the command that starts a managed job."""
        return [self.program, "jobs", "launch", "--yes", "--detach-run", str(path)]
