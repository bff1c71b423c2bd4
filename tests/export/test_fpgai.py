# SPDX-License-Identifier: Apache-2.0
"""FPGAI's three files: read back, and the published network as its formula."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio import export
from intaglio.errors import ArtifactError, ModelError, VerificationError
from intaglio.export import fpgai
from intaglio.ir.constant import Constant
from intaglio.ir.execute import trace
from intaglio.ir.graph import Node, Program
from intaglio.numerics.rounding import Rounding
from intaglio.numerics.types import IntType
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.flatten import Flatten
from intaglio.ops.matmul import Matmul
from intaglio.ops.relu import Relu
from intaglio.ops.requantize import Requantize
from intaglio.quantize.published_lenet5 import SHAPES, pixels, published_lenet5
from tests.export.programs import classifiers
from tests.programs import codes, convolutional, program
from tests.quantize.test_published_lenet5 import parameters

S32 = IntType(32, signed=True)


def rounding_down(given: Program) -> Program:
    """Return a program whose requantizers are those of the format's formula."""
    nodes = [
        replace(n, op=replace(n.op, rounding=Rounding.FLOOR, zero_point=0))
        if isinstance(n.op, Requantize)
        else n
        for n in given.graph.nodes
    ]
    return replace(given, graph=replace(given.graph, nodes=tuple(nodes)))


@given(data=st.data())
def test_layers_are_read_back(data: st.DataObject) -> None:
    made = data.draw(classifiers(1))
    made = rounding_down(made)
    if any(not isinstance(n.op, Requantize) for n in made.graph.nodes if "addend" in n.op.operands):
        with pytest.raises(ModelError, match="must be read by one requantize for fpgai"):
            fpgai.write(made)
        return
    files = fpgai.write(made)
    assert fpgai.check(made, files) == ()
    first, *_ = fpgai.parse(files, [layer.codes.shape for layer in fpgai.layers(made).values()])
    weight = made.graph.constants["n0.weight"].data.astype(np.int64)
    assert np.array_equal((first.codes - first.zero).transpose(0, 2, 3, 1), weight)


def dense(layer: fpgai.Layer, x: np.ndarray) -> np.ndarray:
    return (x @ (layer.codes - layer.zero).T + layer.bias) * layer.multiplier >> layer.shift


def test_the_files_of_the_published_network_are_its_arithmetic(tmp_path: Path) -> None:
    made = published_lenet5(parameters())
    exported = export(made, tmp_path / "lenet", "fpgai")
    assert exported.notes == ()
    found = fpgai.read(tmp_path / "lenet")
    assert [layer.codes.size for layer in found] == [np.prod(s) for s in SHAPES.values()]
    values = trace(made.graph, {"image": pixels(np.random.default_rng(2).random((2, 28, 28)))})
    x = values["C5"].reshape(2, 120).astype(np.int64)
    assert np.array_equal(dense(found[3], x), values["F6"])
    assert np.array_equal(dense(found[4], dense(found[3], x)), values["OUTPUT"])
    lines = (tmp_path / "lenet" / "quant.txt").read_text().splitlines()
    assert lines[3] == f"{found[3].multiplier},{found[3].shift},{found[3].zero}"
    assert len((tmp_path / "lenet" / "bias.bin").read_bytes()) == 4 * (6 + 16 + 120 + 84 + 10)


def test_a_dense_layer_behind_an_image_is_in_channels_first_order() -> None:
    made = program(
        (2, 3, 2),
        [
            Node("flat", Flatten(), ("x",)),
            Node("low", Relu(), ("flat",)),
            Node("fc", Matmul(), ("low", "w", "b")),
            Node("y", Requantize(4, 0, S32, Rounding.FLOOR), ("fc", "m")),
        ],
        {
            "w": codes(IntType(7, signed=True), 3, 12),
            "b": codes(IntType(9, signed=True), 3),
            "m": Constant.integers(np.array([5])),
        },
    )
    (layer,) = fpgai.layers(made).values()
    x = np.random.default_rng(0).integers(0, 255, (4, 2, 3, 2))
    wanted = trace(made.graph, {"x": x})["y"]
    assert np.array_equal(dense(layer, x.transpose(0, 3, 1, 2).reshape(4, -1)), wanted)


@pytest.mark.parametrize(("multiplier", "shift"), [(1, 5), (4, 5), (1, 0)])
def test_half_is_in_the_bias_where_that_is_whole(multiplier: int, shift: int) -> None:
    given = {"w": [[3, -2]], "b": [7], "m": [multiplier]}
    nodes = [
        Node("fc", Matmul(), ("x", "w", "b")),
        Node("y", Requantize(shift, 0, S32), ("fc", "m")),
    ]
    constants = {k: Constant.integers(np.array(v)) for k, v in given.items()}
    made = program((2,), nodes, constants)
    assert fpgai.check(made, fpgai.write(made)) == ()
    (layer,) = fpgai.layers(made).values()
    x = np.random.default_rng(0).integers(0, 255, (64, 2))
    assert np.array_equal(dense(layer, x), trace(made.graph, {"x": x})["y"])


def test_rounding_that_the_formula_does_not_say_is_noted(tmp_path: Path) -> None:
    made = convolutional()
    nodes = (
        Node("conv", Conv2d(), ("x", "w", "b")),
        Node("y", Requantize(20, 0, S32), ("conv", "m")),
    )
    constants = {
        **{n: made.graph.constants[n] for n in "wb"},
        "m": Constant.integers(np.array([3])),
    }
    exported = export(program((8, 8, 2), nodes, constants), tmp_path / "net", "fpgai")
    assert exported.notes == ("the shift behind conv rounds down; the program's rounds half up",)


def _with(
    zero_point: int = 0,
    weight: tuple[int, int] = (1, 2),
    bias: int = 0,
    rounding: Rounding = Rounding.HALF_UP,
) -> Program:
    """Return a program of one small layer."""
    given = {"w": [weight], "b": [bias], "m": [3]}
    nodes = [
        Node("fc", Matmul(), ("x", "w", "b")),
        Node("y", Requantize(4, zero_point, S32, rounding), ("fc", "m")),
    ]
    return program((2,), nodes, {k: Constant.integers(np.array(v)) for k, v in given.items()})


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (
            convolutional(),
            "requantize 'scaled' must have one multiplier for fpgai: quantize per_te",
        ),
        (
            _with(rounding=Rounding.AWAY),
            "requantize 'y' must round half up or down for fpgai, not away",
        ),
        (_with(zero_point=1), "requantize 'y' must have zero point 0 for fpgai, not 1"),
        (
            _with(weight=(-128, 128)),
            "matmul 'fc' must have weights within 255 of each other, not 256",
        ),
        (_with(bias=2**31), "matmul 'fc' must have a bias of 32 bits, not 2147483648..2147483648"),
        (program((2,), [Node("y", Relu(), ("x",))]), "'network' must have a layer with weights"),
    ],
)
def test_what_does_not_fit_is_refused_by_node(made: Program, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        fpgai.write(made)


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("weight.bin", b"1", "weight.bin must hold 2 entries for these shapes, not 1"),
        ("bias.bin", b"12345", "bias.bin must hold numbers of 4 bytes, not 5 bytes"),
        ("bias.bin", b"", "bias.bin must hold 1 entries for these shapes, not 0"),
        ("quant.txt", b"3,4\n", "a line of quant.txt must be M,n,z, not '3,4'"),
    ],
)
def test_damage_is_found(name: str, data: bytes, said: str) -> None:
    with pytest.raises(ArtifactError, match=said):
        fpgai.parse({**fpgai.write(_with()), name: data}, [(1, 2)])


def test_other_integers_are_found() -> None:
    files = {**fpgai.write(_with()), "quant.txt": b"4,4,0\n"}
    with pytest.raises(VerificationError, match="layer 'fc' must be read back as it was written"):
        fpgai.check(_with(), files)
