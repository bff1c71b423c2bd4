# SPDX-License-Identifier: Apache-2.0
"""Requests for machines: files that say all, and that are handed over only on request."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import pytest

from intaglio.errors import MissingToolError, ToolError
from intaglio.plan.optimum import plan
from intaglio.plan.providers.aws import Aws
from intaglio.plan.providers.skypilot import SkyPilot
from intaglio.plan.providers.written import Form, launch, write_requests
from intaglio.plan.training import Training
from tests.plan.markets import flat

TRAINING = Training("a:B", epochs=3)


def written(form: Form, folder: Path) -> list[Path]:
    """Write what the cheapest schedule of two sizes needs."""
    market = flat([900_000, 3_600_000], [10, 30], 30 * 600 * 10, slots=16, kinds=["spot", "list"])
    return write_requests(form, folder, market, plan(market).schedule, TRAINING, "bucket")


def fake(folder: Path, program: str, script: str) -> dict[str, str]:
    """Put a program on the path that does what the script says."""
    path = folder / program
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}{os.defpath}"}


def test_skypilot_gets_a_task_for_each_machine(tmp_path: Path) -> None:
    first, second = sorted(written(SkyPilot(), tmp_path))
    tasks = []
    for path in (first, second):
        comment, *lines = path.read_text(encoding="utf-8").splitlines()
        assert comment.startswith("# from ")
        pairs = (line.partition(": ") for line in lines)
        tasks.append({key: json.loads(value) for key, _, value in pairs})
    assert {task["resources"]["use_spot"] for task in tasks} == {True, False}
    for task in tasks:
        assert json.loads(task["envs"]["TRAINING"])["network"] == "a:B"
        assert task["file_mounts"] == {"/checkpoint": {"name": "bucket", "mode": "MOUNT"}}
        assert "python -m intaglio.plan.worker training.json /checkpoint/checkpoint" in task["run"]


def test_aws_gets_requests_that_rent_nothing(tmp_path: Path) -> None:
    for path in written(Aws(), tmp_path):
        request = json.loads(path.read_text(encoding="utf-8"))
        assert request["DryRun"] is True
        assert request["InstanceType"] in ("x0", "x1")
        spot = request["InstanceType"] == "x0"
        assert ("InstanceMarketOptions" in request) is spot
        script = base64.b64decode(request["UserData"]).decode()
        assert "aws s3 cp s3://bucket/checkpoint checkpoint" in script
        assert script.endswith("shutdown -h now\n")


def test_files_are_handed_over_on_request(tmp_path: Path) -> None:
    path = written(SkyPilot(), tmp_path)[0]
    there = fake(tmp_path, "sky", 'echo "took $*"')
    assert launch(SkyPilot(), path, there) == f"took jobs launch --yes --detach-run {path}"
    refusing = fake(tmp_path, "aws", "echo no credentials >&2; exit 3")
    with pytest.raises(ToolError, match=r"aws must take .*, and says: no credentials"):
        launch(Aws(), path, refusing)


def test_a_program_that_is_not_installed_is_named(tmp_path: Path) -> None:
    path = written(Aws(), tmp_path)[0]
    with pytest.raises(MissingToolError, match="needs aws, which is not installed: https://aws"):
        launch(Aws(), path, {"PATH": str(tmp_path)})
