# SPDX-License-Identifier: Apache-2.0
"""Accuracy against bits: what is measured, what it costs, what is chosen, and what is kept."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.errors import ArtifactError, QuantizationError
from intaglio.hw.multiplier_rows import rows_resources
from intaglio.ir.execute import run
from intaglio.ir.graph import Graph
from intaglio.numerics.types import IntType
from intaglio.ops.add import Add
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.matmul import Matmul
from intaglio.ops.max_pool import MaxPool
from intaglio.ops.relu import Relu
from intaglio.quantize.accuracy import evaluate
from intaglio.quantize.cost import Cost
from intaglio.quantize.ledger import Ledger, ledger
from intaglio.quantize.places import Place, cost, places, with_bits
from intaglio.quantize.program import prepared, quantize
from intaglio.quantize.scheme import Scheme
from intaglio.quantize.sweep import Study, measure_all, mixture, sensitivities
from tests.quantize.networks import network, normal, small, uniform

PLAIN = Scheme("s8", "u8", weight_estimator="mse")


@pytest.fixture
def kept() -> Iterator[Ledger]:
    with ledger(None) as found:
        yield found


def study(kept: Ledger, graph: Graph | None = None, **other: Any) -> Study:
    graph = graph or small()
    shape = graph.inputs[0].type.shape
    images = uniform(6, 60, *shape)
    labels = run(graph, images).argmax(axis=1)
    return Study(graph, uniform(5, 20, *shape), images, labels, kept, **other)


def branched() -> Graph:
    """One value is read by two layers, behind a pool by one, and its sum by another."""
    return network(
        (4, 4, 2),
        ("c1", Conv2d(), "x", normal(1, 3, 1, 1, 2), normal(2, 3)),
        ("r1", Relu(), "c1"),
        ("c2", Conv2d(), "r1", normal(3, 3, 1, 1, 3), normal(4, 3)),
        ("c3", Conv2d(), "r1", normal(5, 3, 1, 1, 3), normal(6, 3)),
        ("a4", Add(), "c2", "c3"),
        ("p5", MaxPool((2, 2), (2, 2)), "a4"),
        ("c6", Conv2d(), "p5", normal(7, 2, 1, 1, 3), normal(8, 2)),
    )


# --- what it costs -------------------------------------------------------------------------------


def test_layers_that_read_one_value_are_one_place() -> None:
    assert places(prepared(branched())) == (
        Place("x", ("c1",)),
        Place("r1", ("c2", "c3")),
        Place("a4", ("c6",)),
    )


@given(st.integers(1, 8), st.integers(1, 8), st.integers(1, 500))
def test_costs_by_hand(weights: int, activations: int, interval: int) -> None:
    graph = prepared(branched())
    scheme = with_bits(PLAIN, weights, activations)
    found = cost(graph, scheme, interval)
    products = [16 * 6, 16 * 9, 16 * 9, 4 * 6]
    held = IntType(2, signed=True, narrow=True) if weights == 1 else IntType(weights, signed=True)
    table = rows_resources(IntType(activations, signed=False), held).lut
    assert found == Cost(
        size=weights * (6 + 9 + 9 + 6),
        macs=weights * activations * sum(products),
        luts=table * sum(-(-count // interval) for count in products),
    )


@given(st.data())
def test_costs_of_places_add_up(data: st.DataObject) -> None:
    graph, bits = prepared(branched()), st.integers(1, 8)
    total, layers = Cost(), []
    for place in places(graph):
        pair = data.draw(bits), data.draw(bits)
        layers += place.overrides(PLAIN, *pair)
        one = replace(PLAIN, layers=place.overrides(PLAIN, *pair))
        total += cost(graph, one, only=place)
    assert cost(graph, replace(PLAIN, layers=tuple(layers))) == total


@pytest.mark.parametrize(("name", "weights"), [("affine8", "u3"), ("codebook4", "s3")])
def test_widths_keep_the_rest_of_a_scheme(name: str, weights: str) -> None:
    scheme = Scheme.named(name)
    assert with_bits(scheme, 3, 5) == replace(scheme, weights=weights, activations="u5")
    assert with_bits(Scheme.named("vitis"), 3, 5).activations == "s5"


# --- what is reached -----------------------------------------------------------------------------


def test_every_point_is_what_evaluate_finds(kept: Ledger) -> None:
    given_ = study(kept)
    pairs = list(product((8, 3), (8, 2)))
    for point, (weights, activations) in zip(
        measure_all(given_, PLAIN, pairs, progress=False), pairs, strict=True
    ):
        assert (point.weights, point.activations) == (weights, activations)
        program = quantize(given_.graph, given_.calibration, with_bits(PLAIN, weights, activations))
        found = evaluate(given_.graph, program, given_.images, given_.labels)
        assert point.measured.accuracy == found.integer_accuracy
        assert point.measured.agreement == found.agreement
        assert point.measured.sqnr_db == pytest.approx(found.layers[-1].sqnr_db, abs=1e-3)
    assert given_.float_accuracy == 1.0


def test_a_place_alone_has_few_bits(kept: Ledger) -> None:
    given_ = study(kept)
    found = sensitivities(given_, PLAIN, (2,), (3,), progress=False)
    rows = [(s.row()["place"], s.kind, s.bits) for s in found]
    assert rows == [
        ("c1", "weights", 2),
        ("x", "activations", 3),
        ("f3", "weights", 2),
        ("r1", "activations", 3),
    ]
    scheme = replace(PLAIN, layers=found[2].place.overrides(PLAIN, 2, 8))
    program = quantize(given_.graph, given_.calibration, scheme)
    assert str(program.graph.types["f3.weight"].element) == "s2"
    assert str(program.graph.types["c1.weight"].element) == "s8"
    assert given_.measure(scheme) == found[2].measured


@pytest.mark.parametrize("kind", ["size", "macs", "luts"])
def test_the_mixture_keeps_its_budget_and_is_measured(kept: Ledger, kind: str) -> None:
    given_ = study(kept, interval=100)
    found = sensitivities(given_, PLAIN, (8, 4, 2), (8, 4, 2), progress=False)
    whole = getattr(cost(given_.network, PLAIN, 100), kind)
    mixed = mixture(given_, PLAIN, found, (kind, whole / 2))
    assert getattr(mixed.point.cost, kind) <= whole / 2
    assert set(mixed.bits) == {"x", "r1"}
    assert mixed.point.measured == given_.measure(mixed.point.scheme)
    assert (mixed.point.measured.sqnr_db or 0) > mixed.foretold_db - 6
    full = mixture(given_, PLAIN, found, (kind, whole))
    assert set(full.bits.values()) == {(8, 8)}
    assert full.foretold_db >= mixed.foretold_db


def test_a_budget_that_nothing_keeps(kept: Ledger) -> None:
    given_ = study(kept)
    found = sensitivities(given_, PLAIN, (4,), (4,), progress=False)
    with pytest.raises(
        QuantizationError,
        match=r"^a budget must be at least 648 size for the bits measured, not 600$",
    ):
        mixture(given_, PLAIN, found, ("size", 600))
    with pytest.raises(QuantizationError, match=r"^a budget must be of size, macs, luts, not 'w'$"):
        mixture(given_, PLAIN, found, ("w", 600))


def test_a_width_that_cannot_be_says_which(kept: Ledger) -> None:
    graph = network((3,), ("f", Matmul(), "x", np.full((2, 3), 1e-12), np.ones(2)))
    given_ = Study(graph, uniform(1, 4, 3), uniform(2, 4, 3), None, kept)
    with pytest.raises(
        QuantizationError, match=r"^8-bit weights and 8-bit activations: matmul 'f' .* must fit 32"
    ):
        measure_all(given_, Scheme(), [(8, 8)], progress=False)


def test_data_must_be_there(kept: Ledger) -> None:
    empty = np.empty((0, 6, 6, 2))
    with pytest.raises(QuantizationError, match=r"^evaluation data must hold at least one frame"):
        Study(small(), empty, empty, None, kept)
    with pytest.raises(QuantizationError, match=r"^labels must be one for each of 2 images, not"):
        Study(small(), empty, uniform(1, 2, 6, 6, 2), np.zeros(3), kept)


# --- what is kept --------------------------------------------------------------------------------


def test_what_is_kept_is_not_measured_again(tmp_path: Path) -> None:
    made = []

    def make(graph: Graph, calibration: np.ndarray, scheme: Scheme) -> Any:
        made.append(scheme)
        return quantize(graph, calibration, scheme)

    found = []
    for _ in range(2):
        with ledger(tmp_path / "s.sqlite") as kept:
            points = measure_all(study(kept, make=make), PLAIN, [(8, 8), (2, 2)], progress=False)
            found.append([point.row() for point in points])
    assert len(made) == 2
    assert found[0] == found[1]
    with ledger(tmp_path / "s.sqlite") as kept:
        measure_all(study(kept, make=make, method="other"), PLAIN, [(8, 8)], progress=False)
        measure_all(study(kept, small(1), make=make), PLAIN, [(8, 8)], progress=False)
    assert len(made) == 4


def test_a_sweep_that_is_stopped_goes_on(tmp_path: Path) -> None:
    made = []

    def make(graph: Graph, calibration: np.ndarray, scheme: Scheme) -> Any:
        if len(made) == 1:
            made.append("stop")
            raise KeyboardInterrupt
        made.append(scheme)
        return quantize(graph, calibration, scheme)

    pairs = [(8, 8), (4, 4)]
    with pytest.raises(KeyboardInterrupt), ledger(tmp_path / "s.sqlite") as kept:
        measure_all(study(kept, make=make), PLAIN, pairs, progress=False)
    with ledger(tmp_path / "s.sqlite") as kept:
        assert len(measure_all(study(kept, make=make), PLAIN, pairs, progress=False)) == 2
    assert len(made) == 3


KILLED = """
import os, signal, sys
from pathlib import Path
from intaglio.quantize.ledger import ledger

with ledger(Path(sys.argv[1])) as kept:
    kept.put("first", {"done": True})
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_kept_survives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    ended = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert ended.returncode == -signal.SIGKILL
    with ledger(path) as kept:
        assert kept.get("first") == {"done": True}


def test_a_file_that_is_no_ledger(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    path.write_text("no database, but long enough to be taken for one if nobody looked at it")
    with pytest.raises(ArtifactError, match=r"s\.sqlite must be a ledger that can be written: "):  # noqa: SIM117
        with ledger(path):
            pass
    other = tmp_path / "other.sqlite"
    with ledger(other) as kept:
        kept.put("a", {"b": [1, None]})
        kept.put("a", {"b": [2, None]})
        assert kept.get("a") == {"b": [2, None]}
        assert kept.get("c") is None
    connection = sqlite3.connect(other)
    assert connection.execute("SELECT count(*) FROM results").fetchone() == (1,)
    connection.close()
