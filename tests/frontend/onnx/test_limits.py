# SPDX-License-Identifier: Apache-2.0
"""Files that would take hours or all memory are refused for what they declare."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from intaglio.errors import ModelError
from intaglio.frontend import load_onnx
from intaglio.frontend.onnx.wire import MAX_FIELDS, SMALL, check_fields
from tests.frontend.models import Model, lenet_like

MODEL = onnx.ModelProto.DESCRIPTOR


def _refusal(path: Path) -> str:
    with pytest.raises(ModelError) as caught:
        load_onnx(path)
    text = str(caught.value)
    assert "\n" not in text
    return text.removeprefix(f"{path}: ")


# --- what a file unpacks to ----------------------------------------------------------------------


def _many_nodes(proto: onnx.ModelProto) -> None:
    proto.graph.node.extend([onnx.NodeProto()] * (SMALL // 2))


def _many_sizes(proto: onnx.ModelProto) -> None:
    value = proto.graph.value_info.add(name="v")
    value.type.tensor_type.shape.dim.extend([onnx.TensorShapeProto.Dimension()] * (SMALL // 2))


def _packed_integers(proto: onnx.ModelProto) -> None:
    numbers = np.zeros(65 * MAX_FIELDS, np.int32)
    proto.graph.initializer.add(dims=numbers.shape, data_type=TensorProto.UINT8).int32_data.extend(
        numbers
    )


@pytest.mark.parametrize("grow", [_many_nodes, _many_sizes, _packed_integers])
def test_a_file_of_small_parts_is_not_even_parsed(
    tmp_path: Path, grow: Callable[[onnx.ModelProto], None]
) -> None:
    proto = lenet_like().proto()
    grow(proto)
    path = tmp_path / "m.onnx"
    path.write_bytes(proto.SerializeToString())
    assert _refusal(path) == f"it must have at most {MAX_FIELDS} fields, weights being one"


def test_weights_count_as_one_field(tmp_path: Path) -> None:
    model = Model((1 << 10,))
    weight = model.constant(np.zeros((1 << 10, 1 << 10), np.float32))
    model.node("Gemm", "x", weight)
    proto = model.proto()
    tensor = proto.graph.initializer[0]
    tensor.float_data.extend(np.frombuffer(tensor.raw_data, np.float32))
    tensor.ClearField("raw_data")
    path = tmp_path / "m.onnx"
    path.write_bytes(proto.SerializeToString())
    assert path.stat().st_size > SMALL
    assert load_onnx(path).parameters == (1 << 20) + (1 << 10)


def test_damage_is_left_to_the_parser() -> None:
    whole = lenet_like().proto().SerializeToString()
    for size in range(len(whole)):
        check_fields(whole[:size], MODEL)
        check_fields(whole[size:], MODEL)
    check_fields(b"\xff" * 100, MODEL)


# --- what a graph is made of ---------------------------------------------------------------------


def _first(proto: onnx.ModelProto) -> onnx.NodeProto:
    return proto.graph.node[0]


def _field(number: int, inside: bytes) -> bytes:
    """Encode a field of bytes."""
    size = bytearray()
    left = len(inside)
    while left > 0x7F:
        size.append(left & 0x7F | 0x80)
        left >>= 7
    return bytes([number << 3 | 2, *size, left]) + inside


@pytest.mark.parametrize(
    ("grow", "text"),
    [
        (
            lambda p: p.graph.initializer.extend(
                [helper.make_tensor(f"a{i}", TensorProto.FLOAT, [], [1.0]) for i in range(20_001)]
            ),
            "it must have at most 20000 tensors, not 20005",
        ),
        (
            lambda p: p.graph.input.extend([p.graph.input[0]] * 1004),
            "it must have at most 1004 inputs, not 1005",
        ),
        (
            lambda p: p.graph.output.extend([p.graph.output[0]] * 1000),
            "it must have at most 1000 outputs, not 1001",
        ),
        (
            lambda p: _first(p).input.extend(["x"] * 998),
            "it must have at most 1000 operands a node, not 1001",
        ),
        (
            lambda p: _first(p).output.extend([f"y{i}" for i in range(1000)]),
            "it must have at most 1000 results a node, not 1001",
        ),
        (
            lambda p: _first(p).attribute.extend(
                [helper.make_attribute(f"a{i}", i) for i in range(99)]
            ),
            "it must have at most 100 attributes a node, not 101",
        ),
        (
            lambda p: setattr(_first(p), "name", "n" * 5000),
            "a name must have at most 4096 characters, not 5000",
        ),
        (
            lambda p: _first(p).attribute.append(helper.make_attribute("a", [1] * 4097)),
            "attribute 'a' must be at most 4096 numbers, not 4097",
        ),
        (
            lambda p: p.graph.initializer[0].dims.extend([1] * 5),
            "tensor 'conv.weight' must have at most 8 axes, not 9",
        ),
        (
            lambda p: p.graph.input[0].type.tensor_type.shape.dim.extend(
                [p.graph.input[0].type.tensor_type.shape.dim[1]] * 3
            ),
            "input 'x' must be a batch of frames of at most 5 axes, not 7",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_counts_have_limits(
    tmp_path: Path, grow: Callable[[onnx.ModelProto], object], text: str
) -> None:
    proto = lenet_like().proto()
    grow(proto)
    path = tmp_path / "m.onnx"
    path.write_bytes(proto.SerializeToString())
    assert _refusal(path) == text


def test_subgraphs_in_subgraphs_are_damage_where_they_are_too_deep(tmp_path: Path) -> None:
    graph = b""
    for _ in range(3000):  # a graph with a node with an attribute with a graph ..
        graph = _field(1, _field(5, _field(6, graph)))
    path = tmp_path / "m.onnx"
    path.write_bytes(lenet_like().proto().SerializeToString() + _field(7, graph))
    assert "MaxDepth" in _refusal(path)


# --- what a network computes ---------------------------------------------------------------------


def _far_apart(stride: int, **attributes: object) -> Callable[[Model], object]:
    """Put pixels so far apart that only cropping makes the result small."""
    return lambda m: m.node(
        "ConvTranspose", m.last, m.constant(m.draw(3, 2, 1)), strides=[stride], **attributes
    )


@pytest.mark.parametrize(
    ("frame", "write", "text"),
    [
        (
            (1, 4096, 4096),
            lambda m: [m.node("Relu") for _ in range(6)],
            "Relu 'n4': a network must have at most 67108864 elements in all its frames, "
            "not 83886080 and more (nearest: smaller frames)",
        ),
        (
            (64, 256, 256),
            lambda m: [
                m.node("Conv", m.last, m.constant(m.draw(64, 64, 3, 3)), pads=[1] * 4)
                for _ in range(8)
            ],
            "Conv 'n7': a network must have at most 17179869184 products, not 19327352832",
        ),
        (
            (1, 2048, 2048),
            lambda m: m.node("MaxPool", kernel_shape=[1000, 1000]),
            "MaxPool 'n0': a network must have at most 268435456 steps, not 1100401000000",
        ),
        (
            (3, 4),
            _far_apart(1 << 31, output_shape=[7]),
            "ConvTranspose 'n0': a frame must have at most 33554432 elements, "
            "not [1, 6442450945, 2]",
        ),
        (
            (3, 1),
            _far_apart(1 << 31),
            "ConvTranspose 'n0': a frame must have at most 33554432 elements, "
            "not [1, 2147483648, 2]",
        ),
        (
            (4,),
            lambda m: [m.node("Unsqueeze", m.last, m.constant(np.array([1]))) for _ in range(5)],
            "Unsqueeze 'n4': a frame must have at most 5 axes, not 6",
        ),
    ],
)
def test_work_has_limits(
    tmp_path: Path, frame: tuple[int, ...], write: Callable[[Model], object], text: str
) -> None:
    model = Model(frame)
    write(model)
    assert _refusal(model.save(tmp_path)).startswith(text)


def test_a_long_chain_of_joins_ends(tmp_path: Path) -> None:
    """Shape inference that follows values would take hours over this."""
    model = Model((4,))
    last = model.constant(np.zeros(1 << 20, np.float32))
    for _ in range(20):
        last = model.node("Concat", last, last, axis=0)
    model.node("MatMul", "x", last)
    assert _refusal(model.save(tmp_path)).startswith(
        "Concat 'n5': the constants that a model computes must be fewer in all"
    )
