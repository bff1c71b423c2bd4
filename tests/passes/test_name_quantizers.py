# SPDX-License-Identifier: Apache-2.0
"""Quantizers that are written out get their name, whatever the writing; others stay."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from intaglio.frontend import load, load_onnx
from intaglio.ir.constant import Constant
from intaglio.ir.execute import run_frames, trace
from intaglio.ir.graph import Graph, Node, Value
from intaglio.ir.operator import Operator
from intaglio.ir.types import FLOAT32, TensorType
from intaglio.numerics.rounding import Rounding
from intaglio.ops.batch_norm import BatchNorm
from intaglio.ops.clip import Clip
from intaglio.ops.fake_quantize import FakeQuantize
from intaglio.ops.function import Function
from intaglio.ops.relu import Relu
from intaglio.passes.name_quantizers import name_quantizers
from intaglio.quantize.program import quantize
from tests.frontend.models import Model

CHANNELS = 3
KINDS = {Rounding.HALF_EVEN: "round", Rounding.FLOOR: "floor", Rounding.CEIL: "ceil"}


def chain(*steps: Operator | tuple[Any, Any]) -> Graph:
    """Return a graph of steps one after the other; a pair is a scale and an offset."""
    nodes: list[Node] = []
    constants: dict[str, Constant] = {}
    for step in steps:
        name, last = f"n{len(nodes)}", nodes[-1].name if nodes else "x"
        if isinstance(step, Operator):
            nodes.append(Node(name, step, (last,)))
            continue
        for key, number in zip(("scale", "offset"), step, strict=True):
            array = np.broadcast_to(np.asarray(number, np.float32), CHANNELS)
            constants[f"{name}.{key}"] = Constant(array, FLOAT32)
        nodes.append(Node(name, BatchNorm(), (last, f"{name}.scale", f"{name}.offset"), "/there"))
    value = Value("x", TensorType((CHANNELS,), FLOAT32))
    return Graph("g", (value,), tuple(nodes), (nodes[-1].name,), constants)


@st.composite
def written(draw: st.DrawFn) -> tuple[Graph, FakeQuantize]:
    """Draw a quantizer of scales that are powers of two, in some writing, and as an operator."""
    power = st.sampled_from([2.0**n for n in range(-6, 4) if n])
    scale = np.array(draw(st.one_of(power, st.lists(power, min_size=3, max_size=3))))
    low = draw(st.integers(-40, 3))
    high = low + draw(st.integers(0, 300))
    rounding = draw(st.sampled_from([*KINDS, Rounding.HALF_UP]))
    zero = draw(st.integers(-3, 3))  # added before rounding, and taken away behind it
    half = 0.5 if rounding is Rounding.HALF_UP else 0.0
    rounds = Function(KINDS.get(rounding, "floor"))
    bounds = {"codes": Clip(low, high)}
    if scale.ndim == 0 and not zero:
        bounds |= {"reals": Clip(low * scale.item(), high * scale.item())}
        if not half:
            bounds |= {"before": bounds["reals"]}
    place = draw(st.sampled_from(sorted(bounds)))
    steps: list[Any] = [bounds[place]] if place == "before" else []
    steps += [(1 / scale, 0.0), (1.0, zero + half)] if draw(st.booleans()) else []
    steps += [] if steps[-1:] == [(1.0, zero + half)] else [(1 / scale, zero + half)]
    steps += [rounds, *([bounds[place]] if place == "codes" else [])]
    steps += draw(st.sampled_from([[(1.0, -zero), (scale, 0.0)], [(scale, -zero * scale)]]))
    steps += [bounds[place]] if place == "reals" else []
    scales = tuple(scale.ravel().tolist())
    expected = FakeQuantize(scales, zero, low, high, rounding, offset_first=bool(zero))
    return chain(*steps), expected


@given(written(), st.integers(0, 2**32 - 1))
def test_every_writing_of_a_quantizer_is_found(case: tuple[Graph, FakeQuantize], seed: int) -> None:
    graph, expected = case
    named = name_quantizers(graph)
    (node,) = named.nodes
    assert (node.name, node.inputs) == (graph.outputs[0], ("x",))
    found = node.op
    assert isinstance(found, FakeQuantize)
    assert set(found.scale) == set(expected.scale)
    assert found.rounding is expected.rounding
    assert (found.low - found.zero_point, found.high - found.zero_point) == (
        expected.low - expected.zero_point,
        expected.high - expected.zero_point,
    )
    random = np.random.default_rng(seed)
    sixteenths = random.integers(-40_000, 40_000, (400, CHANNELS)) * 2.0**-9
    x = sixteenths.astype(np.float32)
    assert np.array_equal(found.evaluate(x), trace(graph, {"x": x})[graph.outputs[0]])


@pytest.mark.parametrize(
    ("low", "high", "zero"),
    [(-8, 7, 0), (0, 15, 0), (-3, 12, 3), (-9, 6, 9), (-8, 8, 0), (2, 9, 0)],
)
def test_codes_take_the_fewest_bits(low: int, high: int, zero: int) -> None:
    (node,) = name_quantizers(chain(Function("round"), Clip(low, high))).nodes
    assert node.op == FakeQuantize((1.0,), zero, low + zero, high + zero)


@pytest.mark.parametrize(
    "steps",
    [
        [(4.0, 0), Function("round"), (0.25, 0)],  # no bounds
        [(4.0, 0), Function("round"), Clip(-8, 7.5)],  # no code at its end
        [(4.0, 0), Function("round"), Clip(0, 2**25), (0.25, 0)],  # more than float32 counts
        [(4.0, 0), Function("exp"), Clip(-8, 7), (0.25, 0)],  # no rounding
        [(4.0, 0), Clip(-8, 7), (0.25, 0)],
    ],
)
def test_what_is_no_quantizer_stays(steps: list[Any]) -> None:
    graph = chain(*steps)
    assert name_quantizers(graph) is graph


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((4.0, 0), (0.3, 0)),  # another scale
        ((4.0, 1), (0.25, 0)),  # another zero point
        ((4.0, 0.25), (0.25, -0.0625)),  # none at all
        ((-4.0, 0), (-0.25, 0)),  # turned around
        ((4.0, 0), ([0.25, 0.25, 0.5], 0)),  # of one channel
    ],
)
def test_scales_that_do_not_fit_stay_around_a_quantizer_of_steps_of_one(
    before: tuple[Any, Any], after: tuple[Any, Any]
) -> None:
    graph = chain(before, Function("round"), Clip(-8, 7), after)
    ops = [node.op for node in name_quantizers(graph).nodes]
    assert ops == [BatchNorm(), FakeQuantize((1.0,), 0, -8, 7), BatchNorm()]


@pytest.mark.parametrize(
    ("behind", "low", "high"),
    [
        (Relu(), 3, 18),
        (Clip(-0.5, 1.0), 1, 7),
        (Clip(-9.0, 9.0), 0, 18),
    ],
)
def test_bounds_behind_a_quantizer_become_its_own(behind: Operator, low: int, high: int) -> None:
    named = FakeQuantize((0.25,), 3, 0, 18)
    (node,) = name_quantizers(chain(named, behind)).nodes
    assert (node.name, node.op) == ("n1", FakeQuantize((0.25,), 3, low, high))


@pytest.mark.parametrize("behind", [Clip(-0.3, 1.0), (2.0, 0.0), (1.0, 0.5)])
def test_what_is_no_bound_stays_behind_a_quantizer(behind: Any) -> None:
    graph = chain(FakeQuantize((0.25,), 3, 0, 18), behind)
    assert name_quantizers(graph) is graph


def test_what_else_reads_a_step_keeps_it() -> None:
    graph = chain((4.0, 0), Function("round"), Relu(), Clip(0, 15), (0.25, 0))
    graph = Graph("g", graph.inputs, graph.nodes, ("n4", "n1"), graph.constants)
    found = name_quantizers(graph)
    assert [node.name for node in found.nodes] == ["n0", "n1", "n4"]
    assert found.producers["n4"].op == FakeQuantize((0.25,), 0, 0, 15)
    assert found.producers["n4"].origin == "/there"


def _divided(model: Model) -> None:
    model.node("Round", model.node("Div", "x", model.constant(np.float32(0.1))))
    model.node("Clip", model.last, *(model.constant(np.float32(end)) for end in (0, 15)))
    model.node("Mul", model.last, model.constant(np.float32(0.1)))


def _each_channel(model: Model) -> None:
    scale = np.array([0.1, 0.2, 0.7], np.float32).reshape(3, 1, 1)
    model.node("Round", model.node("Mul", "x", model.constant(1 / scale)))
    model.node("Clip", model.last, *(model.constant(np.float32(end)) for end in (-8, 7)))
    model.node("Mul", model.last, model.constant(scale))


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (_divided, FakeQuantize((float(np.float32(0.1)),), 0, 0, 15)),
        (
            _each_channel,
            FakeQuantize(tuple(float(np.float32(s)) for s in (0.1, 0.2, 0.7)), 0, -8, 7),
        ),
    ],
)
def test_they_are_found_in_files(
    tmp_path: Path, write: Callable[[Model], None], expected: FakeQuantize
) -> None:
    model = Model((3, 4, 5))
    write(model)
    assert [node.op for node in load_onnx(model.save(tmp_path)).nodes] == [expected]


class ByHand(torch.nn.Module):
    """A layer between quantizers that somebody wrote for themselves, also of its weights."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Quantise the input, the weights and the result."""
        x = torch.clamp(torch.round(x / 0.25), 0, 15) * 0.25
        weight = torch.clamp(torch.round(self.layer.weight * 8), -8, 7) / 8
        y = torch.nn.functional.linear(x, weight)
        return torch.clamp(torch.floor(y * 4 + 0.5), -128, 127) * 0.25


def test_a_network_with_quantizers_by_hand_keeps_its_integers() -> None:
    torch.manual_seed(0)
    module = ByHand()
    program = quantize(load(module, example=torch.zeros(1, 4)))
    frames = np.random.default_rng(0).integers(0, 16, (200, 4)) * 0.25
    codes = program.quantize_input(frames)
    result = program.quantization[program.graph.outputs[0]]
    found = result.dequantize(run_frames(program.graph, codes))
    with torch.no_grad():
        expected = module(torch.tensor(frames, dtype=torch.float32)).numpy()
    assert np.array_equal(found, expected)
