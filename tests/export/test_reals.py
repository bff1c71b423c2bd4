# SPDX-License-Identifier: Apache-2.0
"""Formats of reals: run by ONNX Runtime they are the program, read by our importer as well."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intaglio import export
from intaglio.errors import ModelError, VerificationError
from intaglio.export.exporter import Exporter
from intaglio.export.qdq import QCDQ, QDQ, Linear
from intaglio.export.qonnx import DOMAIN, QONNX, Arbitrary, standardized
from intaglio.export.reals.run import compare, random_frames, run
from intaglio.export.reals.write import write_model
from intaglio.frontend import load_onnx
from intaglio.ir.constant import Constant
from intaglio.ir.execute import trace
from intaglio.ir.graph import Node, Program
from intaglio.ir.operator import Operator
from intaglio.numerics.rounding import Rounding
from intaglio.numerics.types import IntType
from intaglio.ops.batch_matmul import BatchMatmul
from intaglio.ops.matmul import Matmul
from intaglio.ops.requantize import Requantize
from intaglio.ops.requantize_affine import RequantizeAffine, Ties
from intaglio.quantize.program import quantize
from tests.export.programs import classifiers, power_of_two_programs
from tests.programs import convolutional, program

EXPORTERS = pytest.mark.parametrize("exporter", [QCDQ, QONNX], ids=lambda e: e.name)


def results(program: Program, exporter: Exporter) -> tuple[np.ndarray, np.ndarray]:
    """Return the codes of a written model and of its program on the same random frames."""
    frames = random_frames(program)
    data = exporter.write(program)[".onnx"]
    found = run(program, standardized(data), frames)
    wanted = trace(program.graph, frames)
    (name,) = program.graph.outputs
    return found[name], wanted[name].astype(np.int64)


@EXPORTERS
@given(program=power_of_two_programs())
def test_shifts_alone_are_the_program_bit_for_bit(exporter: Exporter, program: Program) -> None:
    dialect = Linear(clipped=True) if exporter is QCDQ else Arbitrary()
    data, inexact = write_model(program, dialect)
    found, wanted = results(program, exporter)
    if not inexact:
        assert np.array_equal(found, wanted)
    assert compare(program, standardized(data), inexact)[0].startswith(
        "float32 may round" if inexact else "exact"
    )


@EXPORTERS
@given(data=st.data())
def test_a_layer_with_multipliers_is_off_by_one_code_at_most(
    exporter: Exporter, data: st.DataObject
) -> None:
    whole = data.draw(classifiers(2**16 - 1))
    nodes = whole.graph.nodes[:2]
    graph = replace(whole.graph, nodes=nodes, outputs=(nodes[-1].name,))
    meaning = {**whole.quantization, nodes[-1].name: whole.quantization["x"]}
    found, wanted = results(replace(whole, graph=graph, quantization=meaning), exporter)
    assert np.abs(found - wanted).max() <= 1


@EXPORTERS
@settings(max_examples=40)
@given(data=st.data())
def test_our_importer_reads_the_same_integers(exporter: Exporter, data: st.DataObject) -> None:
    written = data.draw(classifiers(data.draw(st.sampled_from([1, 255, 2**16 - 1]))))
    found = read_back(written, exporter)
    (value,) = found.graph.inputs
    assert value.type == written.graph.inputs[0].type
    low, high = value.type.integer.min, value.type.integer.max
    frames = np.random.default_rng(1).integers(low, high, (512, *value.type.shape), endpoint=True)
    wanted = trace(written.graph, {"x": frames})[written.graph.outputs[0]]
    codes = trace(found.graph, {value.name: frames})[found.graph.outputs[0]]
    meanings = [p.quantization[p.graph.outputs[0]] for p in (written, found)]
    assert meanings[0].scale[0] == pytest.approx(meanings[1].scale[0], rel=1e-6)
    assert np.array_equal(codes, wanted)


def read_back(program: Program, exporter: Exporter) -> Program:
    """Write a program to a file and read that as any other model."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        path.write_bytes(exporter.write(program)[".onnx"])
        return quantize(load_onnx(path))


def saying(program: Program) -> onnx.ModelProto:
    return onnx.load_from_string(QCDQ.write(program)[".onnx"])


def operators(model: onnx.ModelProto) -> list[str]:
    return [node.op_type for node in model.graph.node]


def stepped(op: Operator, multiplier: int = 1, **constants: int) -> Program:
    """Return a program of one requantizer on `u8`."""
    given = {"multiplier": multiplier, **constants}
    node = Node("y", op, ("x", *given))
    arrays = {key: Constant.integers(np.array([number])) for key, number in given.items()}
    return program((4,), [node], arrays)


S4, S8, S12 = (IntType(width, signed=True) for width in (4, 8, 12))


def test_both_ends_have_their_true_scales(tmp_path: Path) -> None:
    made = convolutional()
    meaning = {"x": replace(made.quantization["x"], scale=(1 / 255,))}
    meaning["dense"] = replace(made.quantization["x"], scale=(0.1,))
    whole = replace(made, quantization=meaning)
    export(whole, tmp_path / "net", "onnx-qdq")
    data = (tmp_path / "net.onnx").read_bytes()
    frames = random_frames(whole)
    codes = run(whole, data, frames)["dense"]
    wanted = trace(whole.graph, frames)["dense"]
    assert np.abs(codes - wanted).max() <= 128  # one code before the last layer, times a weight
    about = {entry.key: entry.value for entry in onnx.load_from_string(data).metadata_props}
    scales = json.loads(about["intaglio.scales"])
    assert [s["true_scale"] for s in scales.values() if s["value"] == "dense"] == [[0.1]]


def test_old_tools_can_read_eight_bits() -> None:
    model = saying(stepped(Requantize(3, 0, S8)))
    assert (model.opset_import[0].version, model.ir_version) == (13, 7)
    wide = saying(stepped(Requantize(0, 0, S12), 3))
    assert (wide.opset_import[0].version, wide.ir_version) == (21, 10)


def test_codes_of_few_bits_are_clipped_or_have_a_type() -> None:
    four = stepped(Requantize(3, 0, S4))
    assert operators(saying(four))[-4:] == [
        "QuantizeLinear",
        "Clip",
        "DequantizeLinear",
        "Identity",
    ]
    typed = onnx.load_from_string(QDQ.write(four)[".onnx"])
    kinds = {tensor.data_type for tensor in typed.graph.initializer}
    assert onnx.TensorProto.INT4 in kinds
    QDQ.check(four, QDQ.write(four))
    with pytest.raises(
        ModelError, match=r"requantize 'y' must have codes of 4, 8 or 16 whole bits"
    ):
        QDQ.write(stepped(Requantize(3, 0, S12)))


def test_where_nothing_is_rounded_there_is_no_quantizer() -> None:
    wide = stepped(Requantize(0, 5, S12), 4)
    assert operators(saying(wide)) == [
        "QuantizeLinear",
        "DequantizeLinear",
        "Mul",
        "Add",
        "Identity",
    ]
    QCDQ.check(wide, QCDQ.write(wide))


@pytest.mark.parametrize("ties", [Ties.EVEN, Ties.ODD])
@pytest.mark.parametrize("zero", [0, 1])
def test_ties_come_out_as_in_the_program(ties: Ties, zero: int) -> None:
    half = stepped(RequantizeAffine(2, zero, S8, ties), 1, addend=2)
    even = (zero % 2 == 0) == (ties is Ties.EVEN)
    if even:
        found, wanted = results(half, QONNX)
        assert np.array_equal(found, wanted)
    else:
        with pytest.raises(ModelError, match=f"not to {ties.value} with zero point {zero}"):
            QONNX.write(half)
    found, wanted = results(half, QCDQ)
    assert np.array_equal(found, wanted)


@pytest.mark.parametrize("element", ["s4", "u3", "s8n", "u8"])
@pytest.mark.parametrize("shift", [1, 3])
def test_bits_that_are_left_out_are_a_trunc_of_qonnx(element: str, shift: int) -> None:
    made = stepped(Requantize(shift, 0, IntType.parse(element), Rounding.FLOOR))
    model = onnx.load_from_string(QONNX.write(made)[".onnx"])
    assert operators(model)[:2] == ["Quant", "Trunc"]
    assert {(opset.domain, opset.version) for opset in model.opset_import} >= {(DOMAIN, 2)}
    found, wanted = results(made, QONNX)
    assert np.array_equal(found, wanted)
    back = read_back(made, QONNX)
    codes = np.arange(256).reshape(64, 4)
    given = {value.name: codes for value in back.graph.inputs}
    assert np.array_equal(trace(back.graph, given)[back.graph.outputs[0]], wanted_of(made, codes))
    assert "Trunc" not in operators(saying(made))


@pytest.mark.parametrize("changed", [{"zero_point": 1}, {"shift": 0}])
def test_more_than_leaving_out_bits_is_a_quant(changed: dict[str, int]) -> None:
    op = replace(Requantize(2, 0, S4, Rounding.FLOOR), **changed)
    assert "Trunc" not in operators(onnx.load_from_string(QONNX.write(stepped(op))[".onnx"]))


@pytest.mark.parametrize("channels", [False, True])
def test_weights_of_one_bit_are_bipolar(channels: bool) -> None:
    made = binary(np.random.default_rng(3), channels=channels)
    model = onnx.load_from_string(QONNX.write(made)[".onnx"])
    assert operators(model).count("BipolarQuant") == 1
    found, wanted = results(made, QONNX)
    assert np.array_equal(found, wanted)
    back = read_back(made, QONNX)
    weights = [c.data for c in back.graph.constants.values() if c.data.shape == (5, 4)]
    assert [set(np.unique(array)) for array in weights] == [{-1, 1}]
    codes = np.arange(256).reshape(64, 4)
    given = {value.name: codes for value in back.graph.inputs}
    assert np.array_equal(trace(back.graph, given)[back.graph.outputs[0]], wanted_of(made, codes))


def wanted_of(made: Program, codes: np.ndarray) -> np.ndarray:
    return trace(made.graph, {"x": codes})[made.graph.outputs[0]]


def binary(random: np.random.Generator, *, channels: bool) -> Program:
    """Return a dense layer of weights 1 and -1, with multipliers alike or not."""
    weights = np.where(random.random((5, 4)) < 0.5, -1, 1)
    constants = {
        "w": Constant.integers(weights),
        "b": Constant.integers(random.integers(-9, 9, 5)),
        "m": Constant.integers(np.array([2, 4, 8, 2, 4]) if channels else np.array([4])),
    }
    nodes = [Node("f", Matmul(), ("x", "w", "b")), Node("y", Requantize(5, 0, S8), ("f", "m"))]
    return program((4,), nodes, constants)


@pytest.mark.parametrize("rounding", [Rounding.HALF_EVEN, Rounding.FLOOR])
def test_other_roundings_that_can_be_said(rounding: Rounding) -> None:
    found, wanted = results(stepped(Requantize(3, 0, S8, rounding), 3), QCDQ)
    assert np.array_equal(found, wanted)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (
            stepped(Requantize(3, 0, S8, Rounding.AWAY)),
            "requantize 'y' must round half up, half to even or down, not away",
        ),
        (
            stepped(Requantize(3, 0, IntType(30, signed=True)), 255),
            "requantize 'y' must have codes of 24 bits at most, which float32 tells apart, not s30",
        ),
        (
            program((1, 2, 2), [Node("y", BatchMatmul(), ("x", "x"))]),
            "batch_matmul 'y' must be one of add, argmax, .* to be said in reals",
        ),
    ],
)
def test_what_cannot_be_said_is_refused_by_node(made: Program, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        QCDQ.write(made)


def test_one_signed_bit_is_no_quant() -> None:
    with pytest.raises(ModelError, match="requantize 'y' must not have codes -1 and 0"):
        QONNX.write(stepped(Requantize(3, 0, IntType(1, signed=True))))


def test_a_model_of_another_network_is_found() -> None:
    data = QCDQ.write(stepped(Requantize(1, 0, S8)))[".onnx"]
    with pytest.raises(VerificationError, match="result 'y' of the written model must be"):
        compare(stepped(Requantize(4, 0, S8)), data, ())
