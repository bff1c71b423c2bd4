# SPDX-License-Identifier: Apache-2.0
"""Thousands of damaged models: each is read and agrees with its source, or is refused in a line."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import settings

from intaglio.cli import main
from intaglio.errors import ModelError, VerificationError
from intaglio.frontend import inspect_onnx, load_onnx
from tests.frontend.onnx.mutants import mutant, originals

#: 500 by default, 5,000 nightly.
MUTANTS = 5 * settings().max_examples


def _read(path: Path) -> str:
    """Return what reading a file says, nothing where it is good."""
    try:
        load_onnx(path)  # compares every node with ONNX Runtime
    except (ModelError, VerificationError) as error:
        return str(error)
    return ""


def test_the_originals_are_good(tmp_path: Path) -> None:
    for original in originals(tmp_path):
        path = tmp_path / "x.onnx"
        path.write_bytes(original)
        assert _read(path) == ""


@pytest.mark.parametrize("number", range(3))
def test_mutants_are_refused_in_one_line_or_read_rightly(tmp_path: Path, number: int) -> None:
    original = originals(tmp_path)[number]
    path = tmp_path / "x.onnx"
    before = sorted(tmp_path.iterdir())
    texts = []
    for seed in range(number, MUTANTS, 3):
        path.write_bytes(mutant(original, random.Random(seed)))  # noqa: S311
        texts.append(_read(path))
        assert "\n" not in texts[-1], f"mutant {seed}: {texts[-1]}"
    assert 0 < sum(map(bool, texts)) < len(texts)
    assert sorted(tmp_path.iterdir()) == sorted([*before, path])


def test_the_command_says_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.onnx"
    original = originals(tmp_path)[0]
    for seed in range(MUTANTS // 10):
        path.write_bytes(mutant(original, random.Random(seed)))  # noqa: S311
        try:
            expected = 0 if inspect_onnx(path).supported else 1
        except ModelError:
            expected = 2
        assert main(["inspect", str(path)]) == expected
        shown = capsys.readouterr()
        assert (shown.out == "") == (expected == 2)
        assert shown.err.count("\n") == (1 if expected == 2 else 0)
