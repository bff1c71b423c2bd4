# SPDX-License-Identifier: Apache-2.0
"""`intaglio quantize` of models that bring their quantizers along."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from intaglio.ops.store import load_program
from tests.cli.test_cli import answer
from tests.cli.tiny import intaglio
from tests.frontend.models import Model

Capture = pytest.CaptureFixture[str]


def quantized(folder: Path, *, weights: bool = True) -> Path:
    """A dense layer between two quantizers, its weights quantised or not."""
    model = Model((6,), 13)
    scale, zero = model.constant(np.float32(0.0371)), model.constant(np.uint8(3))
    model.node("QuantizeLinear", "x", scale, zero)
    x = model.node("DequantizeLinear", model.last, scale, zero)
    w = model.constant(model.draw(6, 4))
    if weights:
        codes = model.constant(model.random.integers(-127, 128, (6, 4)).astype(np.int8))
        w = model.node("DequantizeLinear", codes, model.constant(np.float32(0.00713)))
    model.node("MatMul", x, w)
    scale, zero = model.constant(np.float32(0.0473)), model.constant(np.int8(-1))
    model.node("QuantizeLinear", model.last, scale, zero)
    model.node("DequantizeLinear", model.last, scale, zero)
    return model.save(folder)


def test_no_data_is_needed(tmp_path: Path, capsys: Capture) -> None:
    found = answer(capsys, "quantize", quantized(tmp_path), "-o", tmp_path / "p")
    assert (found["images"], found["notes"]) == (0, [])
    program = load_program(tmp_path / "p")
    assert [str(value.type.element) for value in program.graph.inputs] == ["u8"]


def test_multipliers_can_be_kept_to_16_bits(tmp_path: Path, capsys: Capture) -> None:
    answer(capsys, "quantize", quantized(tmp_path), "-o", tmp_path / "p", "--nearest")
    constants = load_program(tmp_path / "p").graph.constants
    (multiplier,) = (c for name, c in constants.items() if name.endswith(".multiplier"))
    assert multiplier.data.max() < 1 << 17


def test_weights_without_a_step_ask_for_data(tmp_path: Path, capsys: Capture) -> None:
    model = quantized(tmp_path, weights=False)
    assert intaglio("quantize", model, "-o", tmp_path / "p") == 2
    assert "or give calibration data" in capsys.readouterr().err
    data = tmp_path / "data.npy"
    np.save(data, np.random.default_rng(0).uniform(-4, 4, (20, 6)).astype(np.float32))
    found = answer(capsys, "quantize", model, "--calibration", data, "-o", tmp_path / "p")
    assert found["images"] == 20
