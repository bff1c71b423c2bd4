# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from intaglio.ir.constant import Constant
from intaglio.ir.graph import Node
from intaglio.ir.types import FLOAT32
from intaglio.numerics.rounding import Rounding
from intaglio.ops.fake_quantize import FakeQuantize
from intaglio.ops.function import Function
from intaglio.ops.multi_threshold import MultiThreshold
from intaglio.quantize.declared.steps import Steps, steps_of

numbers = st.lists(st.integers(-300, 300), min_size=1, max_size=40)


def real(steps: Steps, x: np.ndarray) -> np.ndarray:
    """The staircase, on numbers of one channel."""
    code = steps.lowest + steps.reached(x[:, None]).sum(axis=1)
    return steps.scale * code + steps.offset


@given(
    rounding=st.sampled_from(Rounding),
    zero=st.integers(-5, 5),
    ends=st.tuples(st.integers(-9, 9), st.integers(1, 12)),
    offset_first=st.booleans(),
    numbers=numbers,
)
def test_thresholds_say_all_of_a_quantizer(
    rounding: Rounding, zero: int, ends: tuple[int, int], offset_first: bool, numbers: list[int]
) -> None:
    op = FakeQuantize((0.5,), zero, ends[0], sum(ends), rounding, offset_first)
    steps = steps_of(Node("q", op, ("x",)), {})
    assert steps is not None
    x = np.array(numbers) / 16
    assert np.array_equal(real(steps, x), op.evaluate(x[:, None])[:, 0])


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=5), numbers)
def test_thresholds_are_those_of_a_count(bounds: list[int], numbers: list[int]) -> None:
    op, x = MultiThreshold(2.0, -3.0), np.array(numbers, np.float64)
    table = Constant(np.array([sorted(bounds)], np.float32), FLOAT32)
    steps = steps_of(Node("q", op, ("x", "t")), {"t": table})
    assert steps is not None
    assert np.array_equal(real(steps, x), op.evaluate(x[:, None], table.data)[:, 0])


@given(numbers)
def test_a_sign_has_three_codes(numbers: list[int]) -> None:
    steps = steps_of(Node("q", Function("sign"), ("x",)), {})
    assert steps is not None
    assert np.array_equal(real(steps, np.array(numbers)), np.sign(numbers))


@given(st.tuples(st.integers(-20, 20), st.integers(0, 30)), numbers)
def test_a_clip_in_front_takes_thresholds_out_of_reach(
    ends: tuple[int, int], numbers: list[int]
) -> None:
    low, high = ends[0] / 4, sum(ends) / 4
    op, x = FakeQuantize((0.5,), 0, -9, 9), np.array(numbers) / 16
    steps = steps_of(Node("q", op, ("x",)), {})
    assert steps is not None
    clipped = steps.clipped(np.array([low]), np.array([high]))
    assert np.array_equal(real(clipped, x), op.evaluate(np.clip(x, low, high)[:, None])[:, 0])


def test_other_operators_are_no_quantizers() -> None:
    assert steps_of(Node("f", Function("tanh"), ("x",)), {}) is None
