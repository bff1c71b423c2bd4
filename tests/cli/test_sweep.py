# SPDX-License-Identifier: Apache-2.0
"""`intaglio sweep`: what it writes, what it says, and what it refuses."""

from __future__ import annotations

import csv
import json
from argparse import ArgumentTypeError
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

from intaglio.cli.sweep import budget, widths
from intaglio.errors import QuantizationError
from tests.cli.conftest import Made
from tests.cli.test_cli import answer, text
from tests.cli.tiny import intaglio

Capture = pytest.CaptureFixture[str]


def words(made: Made, folder: Path, *more: object) -> list[object]:
    data = ("--data", made.data, "--calibration", made.data)
    return ["sweep", made.model, *data, "--scheme", "int8", "-o", folder, *more]


def test_every_pair_of_widths_is_measured(made: Made, tmp_path: Path, capsys: Capture) -> None:
    more = ("--weights", "8,2", "--activations", "8..7")
    found = answer(capsys, *words(made, tmp_path / "s", *more))
    pairs = [(row["weights"], row["activations"]) for row in found["points"]]
    assert pairs == [(8, 8), (8, 7), (2, 8), (2, 7)]
    written = json.loads((tmp_path / "s/sweep.json").read_text())
    assert {"folder": str(tmp_path / "s"), **written} == found
    with (tmp_path / "s/sweep.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [int(row["size"]) for row in rows] == [216 * 8, 216 * 8, 216 * 2, 216 * 2]
    assert float(rows[0]["accuracy"]) == found["points"][0]["accuracy"]
    assert matplotlib.image.imread(tmp_path / "s/sweep.png").shape == (480, 1440, 4)
    shown = text(capsys, *words(made, tmp_path / "s", *more))
    lines = shown.splitlines()
    assert lines[0] == (
        "warning: at least 12 of 12 images are those that the program was calibrated with: "
        "its accuracy on others may be lower"
    )
    assert lines[2].startswith("float accuracy ")
    header = lines[4].split()
    assert header == list(found["points"][0])


def test_a_mixture_within_a_budget_can_be_quantised_with(
    made: Made, tmp_path: Path, capsys: Capture
) -> None:
    folder = tmp_path / "s"
    more = ("--weights", "8,4,2", "--activations", "same", "--budget", "size=1000")
    found = answer(capsys, *words(made, folder, *more))
    assert [(row["weights"], row["activations"]) for row in found["points"]] == [
        (8, 8), (4, 4), (2, 2)
    ]  # fmt: skip
    assert len(found["layers"]) == 2 * 2 * 3
    assert found["mixed"]["size"] <= 1000
    assert set(found["mixed"]["bits"]) == {"image", "r1"}
    again = ["quantize", made.model, "--calibration", made.data, "-o", tmp_path / "m.program"]
    program = answer(capsys, *again, "--scheme", folder / "mixed.json")
    assert program["scheme"] == found["mixed"]["scheme"]
    shown = text(capsys, *words(made, folder, *more))
    assert shown.endswith(f"use it: intaglio quantize MODEL --scheme {folder / 'mixed.json'}\n")


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("8..5", [8, 7, 6, 5]),
        ("1..3", [1, 2, 3]),
        ("8,4,2", [8, 4, 2]),
        ("8, 4..2,3", [8, 4, 3, 2]),
        ("1", [1]),
    ],
)
def test_widths_as_they_are_written(given: str, found: list[int]) -> None:
    assert widths("--weights", given, 8) == found


@pytest.mark.parametrize("wrong", ["", "9", "8..0", "4..9", "a", "8.1", "8,,4"])
def test_widths_that_are_none(wrong: str) -> None:
    with pytest.raises(QuantizationError) as stop:
        widths("--weights", wrong, 8)
    assert str(stop.value) == (
        f"--weights must be numbers of bits like 8..1 or 8,4,2, of 1 to 8, not {wrong!r}"
    )


def test_a_budget_as_it_is_written() -> None:
    assert budget("size=2e5") == ("size", 200_000.0)
    for wrong in ("size", "bytes=5", "macs=x", "luts=-1", "size=inf"):
        with pytest.raises(ArgumentTypeError, match=r"^must be size=N or macs=N or luts=N, not "):
            budget(wrong)


def test_nothing_is_written_where_something_is_wrong(
    made: Made, tmp_path: Path, capsys: Capture
) -> None:
    refusals: list[tuple[tuple[object, ...], str]] = [
        (("--weights", "9"), "--weights must be numbers of bits like 8..1 or 8,4,2, of 1 to 8"),
        (("--interval", "0"), "--interval must be at least 1 cycle, not 0"),
        (("--images", "99"), "the number of images must be 1..12, not 99"),
        (("--scheme", "int9"), "a scheme must be int8, pow2, "),
        (("--layer", "c9:weights=s4"), "8-bit weights and 8-bit activations: a layer's exception"),
    ]
    for more, expected in refusals:
        folder = tmp_path / "none"
        capsys.readouterr()
        assert intaglio(*words(made, folder, "--weights", "8", "--activations", "8", *more)) == 2
        assert capsys.readouterr().err.rpartition("intaglio: ")[2].startswith(expected)
        assert not list(folder.glob("sweep.[cpj]*"))


def test_points_can_be_trained(tmp_path: Path, capsys: Capture) -> None:
    random = np.random.default_rng(0)
    data = tmp_path / "tiny.npz"
    arrays = {f"x_{part}": random.random((40, 1, 28, 28), np.float32) for part in ("train", "test")}
    labels = {f"y_{part}": np.arange(40) % 3 for part in ("train", "test")}
    np.savez(data, **arrays, **labels)
    text(capsys, "train", "lenet5", "--data", data, "--epochs", "1", "-o", tmp_path / "float")
    command = ["sweep", tmp_path / "float/lenet5.trained", "--data", data, "--calibration", data]
    command += ["--qat", "1", "--weights", "3,1", "--activations", "same", "-o", tmp_path / "s"]
    found = answer(capsys, *command)
    assert [(p["weights"], p["activations"]) for p in found["points"]] == [(3, 3), (1, 1)]
    made = sorted(path.name for path in (tmp_path / "s").glob("*.checkpoint"))
    assert made == ["w1a1.checkpoint", "w3a3.checkpoint"]
    assert answer(capsys, *command) == found


def test_only_floats_can_be_trained_to_few_bits(
    made: Made, tmp_path: Path, capsys: Capture
) -> None:
    assert intaglio(*words(made, tmp_path / "s", "--qat", "2")) == 2
    assert capsys.readouterr().err == (
        f"intaglio: --qat must have a .trained file of intaglio train, not {made.model}\n"
    )
    assert intaglio(*words(made, tmp_path / "s", "--qat", "2", "--layers")) == 2
    assert capsys.readouterr().err == (
        "intaglio: --qat must be of whole networks, without --layers and --budget\n"
    )
