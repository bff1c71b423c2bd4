# SPDX-License-Identifier: Apache-2.0
"""The list of operators."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from intaglio import ops
from intaglio.errors import ModelError


def test_every_operator_is_listed_once_by_its_own_name() -> None:
    found = ops.operators()
    assert set(ops.BUILT_IN) <= set(found.values())
    assert all(op.name == name for name, op in found.items())


def test_an_outside_operator_may_not_take_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint("relu", "intaglio.ops.relu:Relu", "intaglio.operators")
    monkeypatch.setattr(ops, "entry_points", lambda **_: [entry])
    with pytest.raises(ModelError, match=r"^operator 'relu' must be registered once, not also by"):
        ops.operators()
