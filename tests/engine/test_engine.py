# SPDX-License-Identifier: Apache-2.0
"""Engines against the reference, bit for bit: random networks, extremes, any batch, both ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.engine import engine, library, tape
from intaglio.engine.assembly import Instruction
from intaglio.engine.dots import ROUNDINGS
from intaglio.engine.rules import RULES
from intaglio.errors import ModelError, VerificationError
from intaglio.ir.constant import Constant
from intaglio.ir.execute import run_frames, run_program, trace
from intaglio.ir.graph import Graph, Node, Program, Value
from intaglio.ir.operator import Step
from intaglio.ir.rewrite import exhaust
from intaglio.ir.types import Quantization, TensorType
from intaglio.numerics.rounding import Rounding
from intaglio.numerics.types import IntType
from intaglio.ops.add import Add
from intaglio.ops.batch_matmul import BatchMatmul
from intaglio.ops.concat import Concat
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.flatten import Flatten
from intaglio.ops.lookup import Lookup
from intaglio.ops.matmul import Matmul
from intaglio.ops.max_pool import MaxPool
from intaglio.ops.mul import Mul
from intaglio.ops.requantize import Requantize
from intaglio.ops.requantize_affine import RequantizeAffine, Ties
from intaglio.ops.reshape import Reshape
from intaglio.ops.slice import Slice
from tests.programs import S8, U8, codes, convolutional, program, residual
from tests.strategies import Network, networks
from tests.strategies import codes as any_codes

S5, S12 = IntType.parse("s5"), IntType.parse("s12")
INT32 = np.iinfo(np.int32)


def instructions(of: Program) -> list[Instruction]:
    words, found, at = tape.assemble(of, of.graph.outputs).body, [], 0
    while at < len(words):
        found.append(Instruction(words[at]))
        at += words[at + 1]
    return found


@given(networks())
def test_random_networks_equal_the_reference_in_every_value(network: Network) -> None:
    graph = network.program.graph
    made = engine(network.program, [node.name for node in graph.nodes])
    kernels = all(type(node.op) in RULES for node in exhaust(graph, tape._lower).nodes)
    assert (made.reason == "") == kernels
    expected = trace(graph, {"x": network.frames})
    for name, found in made.trace(network.frames).items():
        np.testing.assert_array_equal(found, expected[name])
        assert found.dtype == expected[name].dtype


@given(networks())
def test_random_networks_equal_the_reference_where_layers_are_fused(network: Network) -> None:
    made = engine(network.program)
    expected = run_frames(network.program.graph, network.frames)
    np.testing.assert_array_equal(made.frames(network.frames), expected)


@st.composite
def layers(draw: st.DrawFn) -> tuple[Program, np.ndarray]:
    """A convolution of bytes and its requantize, of a size that fills blocks of every kind."""
    x = draw(st.sampled_from([U8, S8, IntType.parse("u3"), IntType.parse("s8n")]))
    channels, outputs = draw(st.integers(1, 9)), draw(st.integers(1, 150))
    rows, columns = draw(st.integers(1, 3)), draw(st.integers(1, 6))
    height, width = rows + draw(st.integers(0, 4)), columns + draw(st.integers(0, 6))
    padding = tuple(draw(st.integers(0, 1)) for _ in range(4))
    op = Conv2d(
        (draw(st.integers(1, 2)), draw(st.integers(1, 3))), padding, draw(st.integers(0, 7))
    )  # type: ignore[arg-type]
    element = draw(st.sampled_from([S5, S8, U8, IntType.parse("u3"), S12]))
    scale = Requantize(
        draw(st.integers(0, 30)),
        draw(st.integers(element.min, element.max)),
        element,
        draw(st.sampled_from([*ROUNDINGS])),
    )
    factors = draw(any_codes(IntType.parse("u16"), (draw(st.sampled_from([1, outputs])),)))
    made = program(
        (height, width, channels),
        [Node("c", op, ("x", "w", "b")), Node("y", scale, ("c", "m"))],
        {
            "w": Constant(draw(any_codes(S8, (outputs, rows, columns, channels))), S8),
            "b": Constant(draw(any_codes(S12, (outputs,))), S12),
            "m": Constant(factors, IntType.parse("u16")),
        },
        x,
    )
    return made, draw(any_codes(x, (draw(st.integers(1, 3)), height, width, channels)))


@given(layers())
def test_layers_of_any_size_equal_the_reference(drawn: tuple[Program, np.ndarray]) -> None:
    made, frames = drawn
    assert engine(made).reason == ""
    np.testing.assert_array_equal(engine(made).frames(frames), run_frames(made.graph, frames))


@given(
    element=st.sampled_from(["u3", "s8", "u12", "s31"]),
    channels=st.integers(1, 5),
    shift=st.integers(0, 20),
    ties=st.sampled_from(Ties),
    data=st.data(),
)
def test_an_addend_a_channel_is_added_as_in_the_reference(
    element: str, channels: int, shift: int, ties: Ties, data: st.DataObject
) -> None:
    x, wide = IntType.parse(element), IntType.parse("s24")
    numbers = {
        name: Constant(
            data.draw(any_codes(kind, (data.draw(st.sampled_from([1, channels])),))), kind
        )
        for name, kind in (("m", S12), ("a", wide))
    }
    op = RequantizeAffine(shift, data.draw(st.integers(-16, 15)), S5, ties)
    made = program((3, channels), [Node("y", op, ("x", "m", "a"))], numbers, x)
    assert instructions(made) == [Instruction.REQUANTIZE_AFFINE]
    frames = data.draw(any_codes(x, (2, 3, channels)))
    np.testing.assert_array_equal(engine(made).frames(frames), run_frames(made.graph, frames))


def test_a_rounding_that_no_kernel_knows_is_left_to_the_reference() -> None:
    op = Requantize(3, 0, S5, Rounding.CEIL)
    constants = {"m": Constant(np.array([1]), IntType.parse("u1"))}
    made = program((4,), [Node("y", op, ("x", "m"))], constants)
    assert "requantize must round as kernels can, not ceil" in engine(made).reason


@st.composite
def meetings(draw: st.DrawFn) -> tuple[Program, np.ndarray]:
    """Two values of any types that are multiplied, joined, or multiplied as matrices."""
    shape = draw(st.tuples(*[st.integers(1, 4)] * 3))
    op = draw(st.sampled_from([Mul(), Concat(0), Concat(1), Concat(2), BatchMatmul()]))
    wide_ends = ["u3", "s8", "u12", "s17", "s31"]  # sums of products have at most 48 bits
    kinds = (wide_ends, wide_ends if isinstance(op, Concat) else wide_ends[:3])
    ends = [IntType.parse(draw(st.sampled_from(kind))) for kind in kinds]
    matrix = draw(st.integers(1, 20))
    reshaped = {"a": (shape[0], matrix, shape[1]), "b": (shape[0], shape[1], shape[2])}
    if not isinstance(op, BatchMatmul):
        reshaped = dict.fromkeys("ab", shape)
        if isinstance(op, Concat):
            longer = list(shape)
            longer[op.axis] = matrix
            reshaped["b"] = (longer[0], longer[1], longer[2])
    sizes = {name: int(np.prod(reshaped[name])) for name in "ab"}
    total, wide, nodes = sum(sizes.values()), IntType.parse("s31"), []
    for name, start, element in (("a", 0, ends[0]), ("b", sizes["a"], ends[1])):
        cut = Slice((start,), (start + sizes[name],), (1,))
        nodes += [
            Node(f"{name}.part", cut, ("x",)),
            Node(f"{name}.code", Requantize(0, 0, element), (f"{name}.part", "one")),
            Node(name, Reshape(reshaped[name]), (f"{name}.code",)),
        ]
    nodes.append(Node("y", op, ("a", "b")))
    constants = {"one": Constant(np.array([1]), IntType.parse("u1"))}
    return program((total,), nodes, constants, wide), draw(any_codes(wide, (2, total)))


@given(meetings())
def test_two_values_meet_as_in_the_reference(drawn: tuple[Program, np.ndarray]) -> None:
    made, frames = drawn
    assert engine(made).reason == ""
    np.testing.assert_array_equal(engine(made).frames(frames), run_frames(made.graph, frames))


@pytest.mark.parametrize("element", ["u1", "s3n", "u8", "s12"])
@pytest.mark.parametrize("target", ["s8", "u8", "s20", "s40"])
def test_a_table_is_read_at_every_code(element: str, target: str) -> None:
    x = IntType.parse(element)
    every = np.arange(x.min, x.max + 1)
    table = {"t": codes(IntType.parse(target), len(every))}
    made = program((len(every),), [Node("y", Lookup(x.min), ("x", "t"))], table, x)
    assert engine(made).reason == ""
    assert instructions(made) == [Instruction.LOOKUP]
    assert engine(made).frames(every[None])[0].tolist() == table["t"].data.tolist()


@pytest.mark.parametrize("batch", [0, 1, 2, 300])
@pytest.mark.parametrize("threads", [1, 3])
def test_batches_of_any_size_on_any_number_of_threads(batch: int, threads: int) -> None:
    made = engine(convolutional(), threads=threads)
    frames = np.random.default_rng(batch).integers(0, 256, (batch, 8, 8, 2))
    found = made.frames(frames)
    np.testing.assert_array_equal(found, run_frames(made.graph, frames).astype(found.dtype))
    assert found.shape == (batch, 5)


def bytes_at_the_edge(bias: int) -> Program:
    """Sums of 65 x 255 x 127 and a bias, of which the kernel of bytes is just exact or not."""
    weight = Constant(np.full((1, 65), 127), S8)
    constants = {"w": weight, "b": Constant.integers(np.array([bias]))}
    return program((65,), [Node("y", Matmul(), ("x", "w", "b"))], constants)


@pytest.mark.parametrize("sign", [1, -1])
def test_bytes_are_summed_in_32_bits_up_to_the_edge_and_no_further(sign: int) -> None:
    products = 65 * 255 * 127
    last = bytes_at_the_edge(sign * (INT32.max - products))
    beyond = bytes_at_the_edge(sign * (INT32.max - products + 1))
    assert instructions(last) == [Instruction.DOT_BYTES]
    assert instructions(beyond) == [Instruction.DOT_WIDE]
    frames = np.full((1, 65), 255)
    for made in (last, beyond):
        np.testing.assert_array_equal(engine(made).frames(frames), run_frames(made.graph, frames))


def test_reals_enter_and_leave_as_in_the_reference() -> None:
    random = np.random.default_rng(0)
    inner = convolutional()
    graph = Graph(
        "net", inner.graph.inputs, inner.graph.nodes, ("dense",), inner.graph.constants, True
    )
    meaning = {"x": Quantization((0.013, 0.4), 7), "dense": Quantization((0.1, 0.2, 0.3, 0.4, 7.0))}
    made = engine(Program(graph, meaning))
    for dtype in (np.float32, np.float64, np.float16):
        images = (random.standard_normal((9, 2, 8, 8)) * 20).astype(dtype)
        images[0].flat[:4] = [0.0065, -0.0065, 1e4, -1e4]
        np.testing.assert_array_equal(made.run(images), run_program(made.program, images))
    for dtype in (np.uint8, np.int32, np.bool_):
        pixels = random.integers(0, 2, (3, 8, 8, 2)).astype(dtype)
        np.testing.assert_array_equal(made.run(pixels), run_program(made.program, pixels))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_not_finite_is_refused(bad: float) -> None:
    made = engine(convolutional())
    images = np.zeros((3, 8, 8, 2))
    images[1, 7, 7, 1] = bad
    with pytest.raises(ModelError, match=r"data for 'x' must be finite, not NaN or infinite"):
        made.run(images)


def test_frames_that_the_program_does_not_take_are_refused() -> None:
    made = engine(convolutional())
    with pytest.raises(ModelError, match=r"input 'x' must be \[N\]\+u8\[8,8,2\], not \(1, 8, 8\)"):
        made.frames(np.zeros((1, 8, 8), dtype=int))
    with pytest.raises(ModelError, match="input 'x' must hold u8 integers"):
        made.frames(np.full((1, 8, 8, 2), 256))
    with pytest.raises(ModelError, match=r"data for 'x' must have shape \(N, 8, 8, 2\)"):
        made.run(np.zeros((1, 8, 9, 2)))


def test_a_wanted_value_must_be_computed() -> None:
    with pytest.raises(ModelError, match="computed by the program, not 'w'"):
        engine(convolutional(), ["w"])
    with pytest.raises(ModelError, match="threads must be at least 1, not 0"):
        engine(convolutional(), threads=0)


def test_a_value_that_two_nodes_read_is_not_fused_away() -> None:
    made = residual()
    frames = np.random.default_rng(1).integers(0, 256, (4, 6, 9, 2))
    np.testing.assert_array_equal(engine(made).frames(frames), run_frames(made.graph, frames))
    twice = program((3,), [Node("y", Add(), ("x", "x"))])
    assert engine(twice).frames(np.array([[1, 2, 255]])).tolist() == [[2, 4, 510]]


@dataclass(frozen=True)
class Doubled(Flatten):
    """An operator that no rule is written for."""

    name: ClassVar[str] = "doubled"

    def evaluate(self, *arrays: np.ndarray) -> np.ndarray:
        return arrays[0] // 2


@dataclass(frozen=True)
class Halves(Flatten):
    """An operator without a kernel that is made of one that has: the pixels of every other row."""

    name: ClassVar[str] = "halves"

    def infer(self, *types: TensorType) -> TensorType:
        return self._pool.infer(*types)

    def evaluate(self, *arrays: np.ndarray) -> np.ndarray:
        return arrays[0][:, ::2]

    def lower(self, types: Sequence[TensorType]) -> Sequence[Step]:  # noqa: ARG002
        return (Step("pool", self._pool, ("x",)),)

    @property
    def _pool(self) -> MaxPool:
        return MaxPool((1, 1), (2, 1))


@dataclass(frozen=True)
class Grown(Add):
    """An operator that got an attribute after its rule was written."""

    factor: int = 1


def test_without_a_kernel_the_reference_runs_and_the_reason_is_told() -> None:
    made = engine(program((3,), [Node("y", Doubled(), ("x",))]))
    assert made.reason.startswith("doubled 'y' must be one of add, argmax, batch_matmul, clip,")
    assert made.frames(np.array([[2, 4, 9]])).tolist() == [[1, 2, 4]]
    assert made.run(np.array([[2.0, 4.0, 9.0]])).tolist() == [[1.0, 2.0, 4.0]]
    assert made.frames(np.zeros((0, 3), dtype=int)).shape == (0, 3)


def test_an_operator_without_a_kernel_runs_as_what_it_is_made_of() -> None:
    made = program((4, 3, 2), [Node("y", Halves(), ("x",)), Node("z", Flatten(), ("y",))])
    assert instructions(made) == [Instruction.MAX_POOL]
    frames = np.random.default_rng(0).integers(0, 256, (3, 4, 3, 2))
    np.testing.assert_array_equal(engine(made).frames(frames), frames[:, ::2].reshape(3, -1))


def test_an_attribute_that_a_rule_does_not_know_is_not_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tape, "RULES", {**tape.RULES, Grown: tape.RULES[Add]})
    made = engine(program((3,), [Node("y", Grown(), ("x", "x"))]))
    assert made.reason == "add must have attributes its kernel knows, not 'factor'"


def test_without_a_compiler_the_reference_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CXX", raising=False)
    library.library.cache_clear()
    made = engine(convolutional())
    assert made.reason.startswith("a C++ compiler must be installed")
    frames = np.ones((1, 8, 8, 2), dtype=int)
    np.testing.assert_array_equal(made.frames(frames), run_frames(made.graph, frames))


def test_a_wrong_rule_is_found_when_the_engine_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = {**tape.RULES, Doubled: tape.RULES[Flatten]}
    monkeypatch.setattr(tape, "RULES", rules)
    with pytest.raises(
        VerificationError, match="must give value 'y' of 'network' as the reference"
    ):
        engine(program((3,), [Node("y", Doubled(), ("x",))]))


def test_values_that_no_output_needs_are_not_computed() -> None:
    nodes = [Node("y", Add(), ("x", "x")), Node("z", Doubled(), ("x",))]
    value = Value("x", TensorType((3,), U8))
    graph = Graph("network", (value,), tuple(nodes), ("y",), {})
    meaning = Quantization((1.0,))
    made = Program(graph, {"x": meaning, "y": meaning})
    assert engine(made).reason == ""
    assert instructions(made) == [Instruction.ADD]
