# SPDX-License-Identifier: Apache-2.0
"""Every registered operator holds to what the shipped suite asks of one."""

from __future__ import annotations

from pathlib import Path

import pytest

from intaglio.ops import operators
from intaglio.testing import Example, check_operator
from tests.conformance.examples import EXAMPLES


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_an_operator_conforms(example: Example, tmp_path: Path, runtime: Path) -> None:
    check_operator(example, tmp_path, runtime=runtime)


def test_every_registered_operator_has_an_example() -> None:
    assert {example.op.name for example in EXAMPLES} == set(operators())
