# SPDX-License-Identifier: Apache-2.0
"""Designs as files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings

from intaglio import artifact
from intaglio.arch.dataflow import dataflow
from intaglio.arch.store import design_bytes, read_design, save_design
from intaglio.artifact import Artifact
from intaglio.devices import device
from intaglio.errors import ArtifactError
from intaglio.explore.folding import best_throughput
from intaglio.hw.products import Products
from intaglio.hw.unit import Fold
from intaglio.ir.text import to_text
from tests.programs import convolutional
from tests.strategies import Network, networks

TARGET = device("ecp5-25f")


@settings(max_examples=20)
@given(network=networks())
def test_a_design_reads_back_as_it_was_saved(
    network: Network, tmp_path_factory: pytest.TempPathFactory
) -> None:
    design = dataflow(network.program, TARGET, network.folds)
    path = tmp_path_factory.mktemp("design") / "network.design"
    save_design(path, design)
    again = read_design(path)
    assert to_text(again.program) == to_text(design.program)
    assert again.folds == design.folds
    assert again.device == design.device
    assert again.resources == design.resources
    assert again.cycles == design.cycles


def test_a_device_of_a_users_own_is_kept_in_the_file(tmp_path: Path) -> None:
    made, mine = convolutional(), replace(TARGET, name="mine", lut=9000, clock_pin="P3")
    design = dataflow(made, mine, best_throughput(made, mine).folds)
    save_design(tmp_path / "design", design)
    again = read_design(tmp_path / "design")
    assert again.device == mine
    assert again.resources == design.resources


def test_a_file_with_a_devices_name_alone_is_read(tmp_path: Path) -> None:
    made = convolutional()
    design = dataflow(made, TARGET, best_throughput(made, TARGET).folds)
    save_design(tmp_path / "whole", design)
    stored = artifact.load(tmp_path / "whole", "design")
    older = Artifact(
        "design", {**stored.document, "device": TARGET.name}, stored.arrays, stored.provenance
    )
    artifact.save(tmp_path / "older", older)
    assert read_design(tmp_path / "older").device == TARGET


def test_a_wrong_device_is_named(tmp_path: Path) -> None:
    made = convolutional()
    design = dataflow(made, TARGET, best_throughput(made, TARGET).folds)
    save_design(tmp_path / "whole", design)
    stored = artifact.load(tmp_path / "whole", "design")
    wrong = {**stored.document["device"], "dsp": -1}
    artifact.save(
        tmp_path / "wrong",
        Artifact("design", {**stored.document, "device": wrong}, stored.arrays, stored.provenance),
    )
    with pytest.raises(ArtifactError, match="dsp must be a whole number of 0 or more, not -1"):
        read_design(tmp_path / "wrong")


def test_equal_designs_have_equal_bytes() -> None:
    made = convolutional()
    design = dataflow(made, TARGET, best_throughput(made, TARGET).folds)
    assert len({design_bytes(design) for _ in range(8)}) == 1


@pytest.mark.parametrize("missing", ["folds", "device", "text"])
def test_a_file_without_one_of_its_parts_is_no_design(tmp_path: Path, missing: str) -> None:
    made = convolutional()
    design = dataflow(made, TARGET, best_throughput(made, TARGET).folds)
    save_design(tmp_path / "whole", design)
    stored = artifact.load(tmp_path / "whole", "design")
    document = {key: value for key, value in stored.document.items() if key != missing}
    broken = Artifact("design", document, stored.arrays, stored.provenance)
    artifact.save(tmp_path / "broken", broken)
    with pytest.raises(ArtifactError):
        read_design(tmp_path / "broken")


def test_folds_from_before_products_had_kinds_are_read(tmp_path: Path) -> None:
    made = convolutional()
    folds = dict(best_throughput(made, TARGET).folds)
    folds["conv"] = Fold(2, 3, 4, products=Products.ROWS)
    design = dataflow(made, TARGET, folds)
    save_design(tmp_path / "new", design)
    stored = artifact.load(tmp_path / "new", "design")
    assert read_design(tmp_path / "new").folds["conv"].products is Products.ROWS
    five = {node: values[:5] for node, values in stored.document["folds"].items()}
    old = Artifact("design", {**stored.document, "folds": five}, stored.arrays, stored.provenance)
    artifact.save(tmp_path / "old", old)
    assert read_design(tmp_path / "old").folds["conv"] == Fold(2, 3, 4)
    five["conv"] = [2, 3, 4, 0, False, "abacus"]
    artifact.save(tmp_path / "old", old)
    with pytest.raises(ArtifactError, match="must hold a design: 'abacus' is not a valid Products"):
        read_design(tmp_path / "old")


def test_another_kind_of_file_is_no_design(tmp_path: Path) -> None:
    artifact.save(tmp_path / "program", Artifact("program", {}, {}, {}))
    with pytest.raises(ArtifactError, match="must be an Intaglio design file, not program"):
        read_design(tmp_path / "program")
