# SPDX-License-Identifier: Apache-2.0
"""A design with an array comes back from its file as it was, and foretells the same cycles."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings

from intaglio import artifact
from intaglio.arch.store import read_design
from intaglio.arch.systolic.store import read_any_design, save_array_design
from intaglio.artifact import Artifact
from intaglio.errors import ArtifactError
from tests.arch.systolic.networks import Case, cases


@settings(max_examples=10)
@given(case=cases())
def test_what_was_written_is_read(case: Case, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("store") / "array.design"
    save_array_design(path, case.design)
    found = read_any_design(path)
    assert type(found) is type(case.design)
    assert (found.array, found.flows, found.memory) == (  # type: ignore[union-attr]
        case.design.array,
        case.design.flows,
        case.design.memory,
    )
    assert found.prediction == case.design.prediction  # type: ignore[union-attr]


def test_a_damaged_design_is_one_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "array.design"
    document = {"text": "program p\ninput x : u8[1] scale 1.0 zero 0\noutput x\n"}
    artifact.save(
        path,
        Artifact("design", {**document, "architecture": "systolic"}, {}, artifact.provenance()),
    )
    with pytest.raises(ArtifactError, match="must"):
        read_any_design(path)
    with pytest.raises(ArtifactError):
        read_design(path)
