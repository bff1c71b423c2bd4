# SPDX-License-Identifier: Apache-2.0
"""Hypothesis profiles, and Verilator's own compiled parts, made once for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture)
settings.register_profile("dev", deadline=None, suppress_health_check=SLOW)
settings.load_profile("dev")


@pytest.fixture(scope="session")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.getbasetemp().parent / "verilator"
