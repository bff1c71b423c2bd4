# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.ir.execute import trace
from intaglio.ir.operator import Operator
from intaglio.ops.add import Add
from intaglio.ops.clip import Clip
from intaglio.ops.concat import Concat
from intaglio.ops.max_pool import MaxPool
from intaglio.ops.relu import Relu
from intaglio.quantize.program import prepared, quantize
from intaglio.quantize.reorder import rectify_first
from tests.quantize.networks import network, normal
from tests.quantize.test_joining import layer
from tests.quantize.test_program import SCHEMES, check_bounds

POOL = MaxPool((2, 2), (1, 1), (1, 0, 1, 1))


@pytest.mark.parametrize("op", [Relu(), Clip(-0.5, 0.5), Clip(1.0, 2.0)])
@given(seed=st.integers(0, 1000))
def test_the_value_is_the_same(op: Operator, seed: int) -> None:
    before = network((4, 4, 2), ("p", POOL, "x"), ("r", op, "p"))
    after = rectify_first(before)
    assert [node.name for node in after.nodes] == [f"p.x.{op.name}", "r"]
    assert after.producers["r"].op == POOL
    assert after.producers["r"].origin == "/r"
    images = normal(seed, 3, 4, 4, 2)
    assert np.array_equal(trace(before, {"x": images})["r"], trace(after, {"x": images})["r"])


def test_a_chain_moves_as_a_whole() -> None:
    graph = network(
        (4, 4, 2),
        ("p1", POOL, "x"),
        ("p2", POOL, "p1"),
        ("r", Relu(), "p2"),
        ("k", Clip(0.0, 6.0), "r"),
    )
    after = rectify_first(graph)
    assert [node.op.name for node in after.nodes] == ["relu", "clip", "max_pool", "max_pool"]
    assert after.outputs == ("k",)


@pytest.mark.parametrize("op", [Relu(), Clip(-0.5, 0.5), Clip(1.0, 2.0)])
@pytest.mark.parametrize("operands", [("a", "x"), ("a", "a")])
def test_what_is_joined_is_rectified_before(op: Operator, operands: tuple[str, str]) -> None:
    before = network(
        (4, 4, 2),
        layer("a", "x", 1),
        ("j", Concat(2), *operands),
        ("p", POOL, "j"),
        ("r", op, "p"),
    )
    after = rectify_first(before)
    assert after.producers["r"].op == POOL
    (joined,) = after.producers["r"].inputs
    inner = [after.producers[name] for name in after.producers[joined].inputs]
    assert [node.op for node in inner] == [op, op]
    assert [node.inputs[0] for node in inner] == list(operands)
    images = normal(3, 8, 4, 4, 2)
    assert np.array_equal(trace(before, {"x": images})["r"], trace(after, {"x": images})["r"])
    for scheme in SCHEMES:
        check_bounds(prepared(before), quantize(before, images, scheme), images)


def test_a_pool_that_is_read_elsewhere_stays() -> None:
    shared = network((4, 4, 2), ("p", POOL, "x"), ("r", Relu(), "p"), ("a", Add(), "p", "r"))
    assert rectify_first(shared) is shared
    output = network((4, 4, 2), ("p", POOL, "x"), ("r", Relu(), "p"), outputs=("p", "r"))
    assert rectify_first(output) is output
