# SPDX-License-Identifier: Apache-2.0
"""A stage is done once, until what it was made from changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from intaglio.flow import stages
from intaglio.flow.stages import RECORD, Stages


class Work:
    """Counts how often it is done."""

    def __init__(self, folder: Path) -> None:
        self.out = folder / "out"
        self.times = 0

    def __call__(self) -> dict[str, Any]:
        self.times += 1
        self.out.write_text("result")
        return {"figure": self.times}


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work(tmp_path)


def test_the_same_stage_is_done_once(tmp_path: Path, work: Work) -> None:
    first = Stages(tmp_path).run("a", [1, "x"], [work.out], work)
    again = Stages(tmp_path).run("a", [1, "x"], [work.out], work)
    assert work.times == 1
    assert first == again
    assert first["figure"] == 1
    assert first["seconds"] >= 0


def test_other_inputs_do_it_again(tmp_path: Path, work: Work) -> None:
    Stages(tmp_path).run("a", [1], [work.out], work)
    assert Stages(tmp_path).run("a", [2], [work.out], work)["figure"] == 2


def test_a_missing_output_does_it_again(tmp_path: Path, work: Work) -> None:
    Stages(tmp_path).run("a", [1], [work.out], work)
    work.out.unlink()
    assert Stages(tmp_path).run("a", [1], [work.out], work)["figure"] == 2


def test_other_code_does_it_again(
    tmp_path: Path, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    Stages(tmp_path).run("a", [1], [work.out], work)
    monkeypatch.setattr(stages, "_code", lambda: "newer")
    assert Stages(tmp_path).run("a", [1], [work.out], work)["figure"] == 2


def test_stages_do_not_disturb_each_other(tmp_path: Path, work: Work) -> None:
    Stages(tmp_path).run("a", [1], [work.out], work)
    Stages(tmp_path).run("b", [1], [work.out], work)
    Stages(tmp_path).run("a", [1], [work.out], work)
    assert work.times == 2


def test_an_interrupted_stage_is_not_done(tmp_path: Path, work: Work) -> None:
    def interrupted() -> dict[str, Any]:
        raise KeyboardInterrupt

    Stages(tmp_path).run("a", [1], [work.out], work)
    with pytest.raises(KeyboardInterrupt):
        Stages(tmp_path).run("b", [1], [], interrupted)
    assert set(json.loads((tmp_path / RECORD).read_text())) == {"a"}
    Stages(tmp_path).run("b", [1], [], work)
    assert work.times == 2


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"a": 3}', '{"a": {"key": 1}}', "\x80"])
def test_a_damaged_record_counts_as_none(tmp_path: Path, work: Work, content: str) -> None:
    (tmp_path / RECORD).write_bytes(content.encode("latin-1"))
    assert Stages(tmp_path).run("a", [1], [work.out], work)["figure"] == 1
    assert Stages(tmp_path).run("a", [1], [work.out], work)["figure"] == 1
