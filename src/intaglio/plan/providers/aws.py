# SPDX-License-Identifier: Apache-2.0
"""AWS itself: a request of `aws ec2 run-instances` for each machine, dry unless you change it.

`DryRun` is true in every file: AWS then checks the request and the right to make it, and rents
nothing. The image, the right to the bucket and the network are yours to fill in.

Source: AWS CLI reference, `run-instances --generate-cli-skeleton`.
"""

from __future__ import annotations

import base64
import json
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from intaglio.plan.market import SPOT
from intaglio.plan.providers.written import Request


@dataclass(frozen=True)
class Aws:
    """A request of JSON for each machine."""

    program: str = "aws"
    package: str = "https://aws.amazon.com/cli"
    ending: str = ".json"

    def text(self, request: Request) -> str:
        """Return a request: the machine ends itself when its training ends."""
        mode = request.mode
        asked: dict[str, Any] = {
            "DryRun": True,
            "ImageId": "ami-FILL-IN",
            "InstanceType": mode.size,
            "MinCount": 1,
            "MaxCount": 1,
            "InstanceInitiatedShutdownBehavior": "terminate",
            "UserData": base64.b64encode(_script(request).encode()).decode(),
            "TagSpecifications": [
                {
                    "ResourceType": "instance",
                    "Tags": [{"Key": "Name", "Value": request.name}],
                }
            ],
        }
        if mode.kind == SPOT:
            asked["InstanceMarketOptions"] = {
                "MarketType": "spot",
                "SpotOptions": {
                    "SpotInstanceType": "one-time",
                    "InstanceInterruptionBehavior": "terminate",
                },
            }
            asked["Placement"] = {"AvailabilityZone": mode.zone}
        return json.dumps(asked, indent=2) + "\n"

    def command(self, path: Path) -> Sequence[str]:
        """Return the command that makes the request."""
        return [self.program, "ec2", "run-instances", "--cli-input-json", f"file://{path}"]


def _script(request: Request) -> str:
    """Return what the machine does: fetch the checkpoint, train, and put it back all the while."""
    training = shlex.quote(json.dumps(asdict(request.training)))
    place = shlex.quote(f"s3://{request.bucket}/checkpoint")
    return f"""#!/bin/bash
pip install 'intaglio[train]'
printf '%s' {training} > training.json
aws s3 cp {place} checkpoint || true
(while sleep 60; do aws s3 cp checkpoint {place}; done) &
python -m intaglio.plan.worker training.json checkpoint
aws s3 cp checkpoint {place}
shutdown -h now
"""
