# SPDX-License-Identifier: Apache-2.0
"""Files of quantised networks: QONNX, QDQ and QLinear; ONNX Runtime checks each on load."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from intaglio.errors import ModelError
from intaglio.frontend import load_onnx
from intaglio.frontend.onnx.operators.quantizers import ROUNDINGS
from intaglio.ir.execute import run, run_program, trace
from intaglio.ir.graph import Graph, Program
from intaglio.ops.fake_quantize import FakeQuantize
from intaglio.quantize.program import quantize
from tests.frontend.models import Model, lenet_like
from tests.quantize.declared.networks import reals

QONNX = "qonnx.custom_op.general"
DOMAINS = ("onnx.brevitas", "finn.custom_op.general", QONNX)


def quant(model: Model, x: str, scale: Any, bits: int, **attributes: Any) -> str:
    """Append a Quant node with zero point 0."""
    numbers = [np.asarray(n, np.float32) for n in (scale, 0, bits)]
    return model.node("Quant", x, *map(model.constant, numbers), **attributes)


def qonnx_network(seed: int, domain: str, mode: str) -> Model:
    """A convolution of few bits with one scale a channel, batch norm, pooling, a dense layer."""
    model = Model((2, 6, 6), int(np.random.default_rng(seed).choice([9, 11, 13, 17])), seed=seed)
    known: dict[str, Any] = {"domain": domain, "signed": 1, "narrow": seed % 2}
    x = quant(model, "x", 0.25, 4, **known)
    scales = model.draw(3, 1, 1, 1, low=0.05, high=0.2)
    w = quant(model, model.constant(model.draw(3, 2, 3, 3)), scales, 3, **known)
    model.node("Conv", x, w, model.constant(model.draw(3)), kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    numbers = [model.draw(3), model.draw(3), model.draw(3), model.draw(3, low=0.5, high=2)]
    model.node("BatchNormalization", model.last, *map(model.constant, numbers))
    model.node("Relu")
    quant(model, model.last, 0.21, 4, domain=domain, signed=0, narrow=0, rounding_mode=mode)
    model.node("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
    model.node("Flatten")
    x = model.last
    w = quant(model, model.constant(model.draw(27, 4)), 0.3, 2, **known)
    model.node("MatMul", x, w)
    return model


@given(st.integers(0, 10_000), st.sampled_from(DOMAINS), st.sampled_from(sorted(ROUNDINGS)))
def test_a_qonnx_network_keeps_its_integers(
    tmp_path_factory: pytest.TempPathFactory, seed: int, domain: str, mode: str
) -> None:
    model = qonnx_network(seed, domain, mode)
    graph = load_onnx(model.save(tmp_path_factory.mktemp("qonnx")))
    program = quantize(graph)
    data = np.random.default_rng(seed).uniform(-2, 2, (8, 2, 6, 6)).astype(np.float32)
    known, wanted = both(graph, program, data)
    for name, meant in known.items():
        assert np.allclose(meant, wanted[name], rtol=1e-5, atol=1e-5), name


def test_a_bipolar_network_keeps_its_integers(tmp_path: Path) -> None:
    model = Model((12,), 9)
    one = model.constant(np.float32(1))
    model.node("BipolarQuant", "x", one, domain="onnx.brevitas")
    x = model.last
    w = model.node("BipolarQuant", model.constant(model.draw(12, 6)), one, domain="onnx.brevitas")
    model.node("MatMul", x, w)
    model.node("Sub", model.last, model.constant(model.draw(6)))
    x = model.node("BipolarQuant", model.last, one, domain="onnx.brevitas")
    w = model.node("BipolarQuant", model.constant(model.draw(6, 3)), one, domain="onnx.brevitas")
    model.node("MatMul", x, w)
    graph = load_onnx(model.save(tmp_path))
    program = quantize(graph)
    assert {str(program.graph.types[v.name].element) for v in program.graph.inputs} == {"u1"}
    data = np.random.default_rng(0).uniform(-1, 1, (64, 12)).astype(np.float32)
    assert np.array_equal(run_program(program, data), run(graph, data))


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("mode", ["FLOOR", "ROUND"])
def test_trunc_leaves_low_bits_out(tmp_path: Path, version: int, mode: str) -> None:
    model = Model((3,))
    scale, bits_in, bits_out = 0.25, 8, 6
    x = quant(model, "x", scale, bits_in, domain=QONNX, signed=1, narrow=0)
    numbers = [scale, 0, bits_in, bits_out] if version == 1 else [
        scale, 0, bits_in, 4 * scale, bits_out
    ]  # fmt: skip
    names = [model.constant(np.float32(n)) for n in numbers]
    model.node("Trunc", x, *names, domain=QONNX, rounding_mode=mode)
    graph = load_onnx(model.save(tmp_path))
    data = np.arange(-30, 30, dtype=np.float32).reshape(-1, 3)
    codes = np.clip(np.rint(data / scale), -128, 127) / 4
    kept = np.floor(codes) if mode == "FLOOR" else np.rint(codes)
    wanted = kept * (scale if version == 1 else 4 * scale)
    assert np.array_equal(run(graph, data), wanted)


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ([0.25, 0, 8, 1.0, 0], "its bit width must be 1..32, not 0"),
        ([0.25, 0, 8, 1.0, 99], "its bit width must be 1..32, not 99"),
        ([0.25, 0, 8, -1.0, 6], "its scales must be positive and finite, not"),
        ([0.25, 0, 8, np.nan, 6], "its scales must be positive and finite, not"),
        ([0.25, 1, 8, 1.0, 6], "its zero point must be 0, not 1"),
        ([0.25, 0, 6, 8], "it must leave bits out, not add 2"),
    ],
)
def test_a_trunc_that_makes_no_sense_is_refused(
    tmp_path: Path, numbers: list[float], said: str
) -> None:
    model = Model((3,))
    x = quant(model, "x", 0.25, 8, domain=QONNX, signed=1, narrow=0)
    names = [model.constant(np.float32(n)) for n in numbers]
    model.node("Trunc", x, *names, domain=QONNX, rounding_mode="FLOOR")
    with pytest.raises(ModelError, match=re.escape(said)):
        load_onnx(model.save(tmp_path))


def test_thresholds_of_finn_are_counted(tmp_path: Path) -> None:
    model = Model((2, 3, 3))
    bounds = np.sort(model.draw(2, 3), axis=1)
    model.node(
        "MultiThreshold", "x", model.constant(bounds), domain="finn.custom_op.general",
        out_scale=0.5, out_bias=-1.0, out_dtype="UINT2",
    )  # fmt: skip
    graph = load_onnx(model.save(tmp_path))
    data = model.draw(4, 2, 3, 3)
    count = (data[:, :, None] >= bounds[None, :, :, None, None]).sum(axis=2)
    found = run(graph, data).transpose(0, 3, 1, 2)
    assert np.array_equal(found, 0.5 * count - 1)


def both(
    graph: Graph, program: Program, data: np.ndarray
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return what the program's integers mean, by name of the graph's value, and the reals."""
    found = trace(program.graph, {program.graph.inputs[0].name: program.quantize_input(data)})
    how = program.quantization
    names = [n.name for n in graph.nodes if n.name in found and n.name in how]
    known = {name: how[name].dequantize(found[name]) for name in names}
    known[graph.outputs[0]] = run_program(program, data)
    return known, reals(graph, graph.frames(data), known)


class Reader:
    """Calibration data as ONNX Runtime wants it."""

    def __init__(self, data: np.ndarray) -> None:
        self.batches: Iterator[dict[str, np.ndarray]] = iter([{"x": d[None]} for d in data])

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self.batches, None)


@pytest.mark.parametrize("form", ["QDQ", "QOperator"])
@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("symmetric", [False, True])
def test_networks_that_onnx_runtime_quantized_keep_their_integers(
    tmp_path: Path, form: str, per_channel: bool, symmetric: bool
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    model = lenet_like(13)
    source, target = model.save(tmp_path, "float.onnx"), tmp_path / "int8.onnx"
    proto = onnx.load(source)
    proto.ir_version = 8
    onnx.save(proto, source)
    data = np.random.default_rng(1).uniform(-1, 1, (64, 1, 8, 8)).astype(np.float32)
    quantize_static(
        source, target, Reader(data), quant_format=QuantFormat[form], per_channel=per_channel,
        activation_type=QuantType.QInt8 if symmetric else QuantType.QUInt8,
        weight_type=QuantType.QInt8, extra_options={"ActivationSymmetric": symmetric},
    )  # fmt: skip
    graph = load_onnx(target)
    program = quantize(graph)
    known, wanted = both(graph, program, data)
    assert sum(isinstance(graph.producers[name].op, FakeQuantize) for name in known) >= 2
    for name, meant in known.items():
        assert np.allclose(meant, wanted[name], atol=1e-5), name


def test_codes_that_are_clipped_before_they_are_reals_again(tmp_path: Path) -> None:
    model = Model((5,), 13)
    scale, zero = model.constant(np.float32(0.125)), model.constant(np.int8(-3))
    model.node("QuantizeLinear", "x", scale, zero)
    ends = [model.constant(np.int8(n)) for n in (-8, 7)]
    model.node("Clip", model.last, *ends)
    model.node("DequantizeLinear", model.last, scale, zero)
    graph = load_onnx(model.save(tmp_path))
    data = np.linspace(-3, 3, 60, dtype=np.float32).reshape(-1, 5)
    codes = np.clip(np.rint(data / 0.125) - 3, -8, 7)
    assert np.allclose(run(graph, data), (codes + 3) * 0.125)


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("signed", [False, True])
def test_numbers_of_4_bits(tmp_path: Path, signed: bool, raw: bool) -> None:
    model = Model((5,), 21)
    kind = TensorProto.INT4 if signed else TensorProto.UINT4
    low, high = (-8, 7) if signed else (0, 15)
    codes = model.random.integers(low, high + 1, (5, 3))
    scale = model.constant(np.float32(0.25))
    model.node("QuantizeLinear", "x", scale, "zero")
    x = model.node("DequantizeLinear", model.last, scale, "zero")
    w = model.node("DequantizeLinear", "codes", model.constant(np.float32(0.125)))
    model.node("MatMul", x, w)
    proto = model.proto()
    for name, numbers in (("zero", np.array(low + 5)), ("codes", codes)):
        tensor = helper.make_tensor(name, kind, numbers.shape, numbers.ravel().tolist())
        if raw:
            tensor.raw_data = bytes(number & 255 for number in tensor.int32_data)
            tensor.ClearField("int32_data")
        proto.graph.initializer.append(tensor)
    path = tmp_path / "m.onnx"
    path.write_bytes(proto.SerializeToString())
    data = model.draw(20, 5, low=-4, high=4)
    real = (np.clip(np.rint(data / 0.25) + low + 5, low, high) - low - 5) * 0.25
    graph = load_onnx(path)
    assert np.allclose(run(graph, data), real @ (codes * 0.125), atol=1e-5)
    program = quantize(graph)
    assert str(program.graph.inputs[0].type.element) == ("s4" if signed else "u4")
    assert np.allclose(run_program(program, data), real @ (codes * 0.125), atol=1e-5)


def test_too_few_numbers_of_4_bits_are_refused(tmp_path: Path) -> None:
    model = Model((5,), 21)
    model.node("DequantizeLinear", "codes", model.constant(np.float32(0.125)))
    model.node("MatMul", "x", model.last)
    proto = model.proto()
    tensor = helper.make_tensor("codes", TensorProto.INT4, (5, 3), [0] * 15)
    tensor.dims[1] = 5
    proto.graph.initializer.append(tensor)
    (tmp_path / "m.onnx").write_bytes(proto.SerializeToString())
    with pytest.raises(ModelError, match="tensor 'codes' must hold 13 bytes as its shape"):
        load_onnx(tmp_path / "m.onnx")


def _refused(tmp_path: Path, model: Model) -> str:
    with pytest.raises(ModelError) as caught:
        load_onnx(model.save(tmp_path))
    return str(caught.value)


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ((0.5, 0, 40), "its bit width must be 1..32, not 40"),
        ((0.5, 0, 2.5), "its bit width must be a whole number, not 2.5"),
        ((0.5, 0.25, 4), "its zero point must be a whole number, not 0.25"),
        ((-0.5, 0, 4), "its scale must be positive and finite, not -0.5"),
    ],
)
def test_a_quant_that_makes_no_sense_is_refused(
    tmp_path: Path, numbers: tuple[float, ...], message: str
) -> None:
    model = Model((3,))
    names = [model.constant(np.float32(n)) for n in numbers]
    model.node("Quant", "x", *names, domain=QONNX, signed=1, narrow=0)
    assert message in _refused(tmp_path, model)


def test_an_unknown_rounding_is_refused(tmp_path: Path) -> None:
    model = Model((3,))
    quant(model, "x", 0.5, 4, domain=QONNX, signed=1, narrow=0, rounding_mode="STOCHASTIC")
    assert "rounding_mode must be one of ROUND, HALF_EVEN" in _refused(tmp_path, model)


def test_codes_go_back_by_the_scale_they_came_from(tmp_path: Path) -> None:
    model = Model((3,), 13)
    zero = model.constant(np.uint8(0))
    model.node("QuantizeLinear", "x", model.constant(np.float32(0.5)), zero)
    model.node("DequantizeLinear", model.last, model.constant(np.float32(0.25)), zero)
    message = "its operand must be codes of the scale and zero point it goes back from"
    assert message in _refused(tmp_path, model)


def test_nothing_is_computed_with_codes_themselves(tmp_path: Path) -> None:
    model = Model((3,), 13)
    model.node("QuantizeLinear", "x", model.constant(np.float32(0.5)), model.constant(np.uint8(0)))
    model.node("Add", model.last, model.last)
    assert "it computes with the codes of a quantized value" in _refused(tmp_path, model)


@pytest.mark.parametrize(
    ("element", "bits", "signed"),
    [
        (TensorProto.UINT8, 8, False),
        (TensorProto.INT8, 8, True),
        (TensorProto.UINT16, 16, False),
        (TensorProto.INT16, 16, True),
        (TensorProto.INT4, 4, True),
    ],
)
def test_codes_are_of_the_type_that_is_told(
    tmp_path: Path, element: int, bits: int, signed: bool
) -> None:
    model = Model((3,), 21)
    step = model.constant(np.float32(0.01))
    model.node("QuantizeLinear", "x", step, output_dtype=element)
    model.node("DequantizeLinear", model.last, step)
    (node,) = load_onnx(model.save(tmp_path)).nodes
    assert isinstance(node.op, FakeQuantize)
    low = -(1 << bits - 1) if signed else 0
    assert (node.op.low, node.op.high) == (low, low + (1 << bits) - 1)


@pytest.mark.parametrize(
    ("element", "zero", "text"),
    [
        (TensorProto.FLOAT8E4M3FN, None, "output_dtype must be of integers, not 17"),
        (TensorProto.INT8, np.uint8(0), "output_dtype must be that of the zero point, not 3"),
    ],
)
def test_codes_of_another_type_are_refused(
    tmp_path: Path, element: int, zero: np.uint8 | None, text: str
) -> None:
    model = Model((3,), 21)
    operands = [model.constant(np.float32(0.01))]
    operands += [] if zero is None else [model.constant(zero)]
    model.node("QuantizeLinear", "x", *operands, output_dtype=element)
    model.node("DequantizeLinear", model.last, *operands)
    with pytest.raises(ModelError, match=text):
        load_onnx(model.save(tmp_path))


@pytest.mark.parametrize("axis", [1, -1])
def test_codes_go_back_along_their_own_axis(tmp_path: Path, axis: int) -> None:
    model = Model((4, 2, 4))
    operands = model.constant(model.draw(4, low=0.1)), model.constant(np.zeros(4, np.int8))
    model.node("QuantizeLinear", "x", *operands, axis=1)
    model.node("DequantizeLinear", model.last, *operands, axis=axis)
    path = model.save(tmp_path)
    if axis == 1:
        load_onnx(path)
    else:
        with pytest.raises(ModelError, match="its axis must be that of the quantizer before it"):
            load_onnx(path)
