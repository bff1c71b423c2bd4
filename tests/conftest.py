# SPDX-License-Identifier: Apache-2.0
"""Hypothesis profiles, and Verilator's own compiled parts, made once for all tests.

`ci` is what runs by default: the same examples every time. `HYPOTHESIS_PROFILE=dev` looks at fewer,
new ones, while something is being changed; `nightly` at many.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

#: Building and simulating hardware takes a second an example, whatever Hypothesis is used to.
_PATIENT = (HealthCheck.too_slow, HealthCheck.data_too_large)

settings.register_profile("common", deadline=None, suppress_health_check=_PATIENT)
settings.register_profile("dev", settings.get_profile("common"), max_examples=25)
settings.register_profile("ci", settings.get_profile("common"), derandomize=True)
settings.register_profile("nightly", settings.get_profile("common"), max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture(scope="session")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder in which Verilator's own compiled parts are kept, shared by all workers of a run."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "verilator"
