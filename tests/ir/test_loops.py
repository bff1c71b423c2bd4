# SPDX-License-Identifier: Apache-2.0
"""Loop nests count what operators do."""

from __future__ import annotations

import pytest

from intaglio.errors import ModelError
from intaglio.ir.loops import Access, LoopNest, elementwise


def test_a_nest_counts_iterations_and_macs() -> None:
    read, write = Access("x", ((("C", 1), ("K", 2)),)), Access("output", ((("K", 1),),))
    nest = LoopNest({"K": 3, "C": 4}, (read,), write, True)
    assert (nest.iterations, nest.macs) == (12, 12)
    assert read.dimensions == {"C", "K"}
    assert LoopNest({"K": 3, "C": 4}, (read,), write).macs == 0


def test_an_access_uses_the_dimensions_of_its_nest() -> None:
    with pytest.raises(ModelError, match=r"an access must use the nest's dimensions, not \['Z'\]"):
        LoopNest({"K": 3}, (Access("x", ((("Z", 1),),)),), Access("output", ()))


def test_an_elementwise_nest_touches_each_element_once() -> None:
    nest = elementwise((2, 3), operands=2)
    assert (nest.iterations, len(nest.reads), nest.macs) == (6, 2, 0)
