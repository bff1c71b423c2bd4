# SPDX-License-Identifier: Apache-2.0
"""Jobs: exact units of work, Amdahl's law, the checkpoint interval, and files."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.errors import IntaglioError
from intaglio.plan.job import MOST_RATE, amdahl, checkpoint_interval, job, parse_job, read_job

GOOD = """
name = "digits"
epochs = 60
checkpoint = 30
boot = "4m"
restore = 60
deadline = "1d3h50m"
source = "measured"
[epoch_seconds]
small = 1800
large = 360.5
"""
TIMES: dict[str, Any] = {"checkpoint": 1, "boot": 1, "restore": 1, "source": "s"}


@given(
    st.fractions(min_value=Fraction(1, 20), max_value=100, max_denominator=50),
    st.lists(st.fractions(min_value=1, max_value=50, max_denominator=20), min_size=1, max_size=3),
)
def test_units_of_work_are_exact(epochs: Fraction, seconds: list[Fraction]) -> None:
    made = job("j", epochs, {f"x{n}": t for n, t in enumerate(seconds)}, **TIMES)
    if made.fastest.rate < MOST_RATE // 2:
        for pace, time in zip(made.paces, seconds, strict=True):
            assert Fraction(made.work, pace.rate) == epochs * time
    for pace, time in zip(made.paces, seconds, strict=True):
        assert made.work / pace.rate == pytest.approx(float(epochs * time), rel=1e-6)
        assert Fraction(made.work, pace.rate) >= epochs * time


def test_amdahls_law_gives_the_published_whole_job_speeds() -> None:
    times = amdahl(1, "0.48", {"x1": "1.05", "x2": "2.09", "x8": "6.00", "all": 10**8})
    speeds = {size: round(float(1 / time), 2) for size, time in times.items()}
    assert speeds == {"x1": 1.02, "x2": 1.33, "x8": 1.67, "all": 1.92}


def test_the_checkpoint_interval() -> None:
    assert checkpoint_interval(30, 0.06) == pytest.approx(math.sqrt(2 * 30 * 3600 / 0.06))
    assert checkpoint_interval(30, 0) == math.inf


def test_a_job_file(tmp_path: Path) -> None:
    path = tmp_path / "job.toml"
    path.write_text(GOOD, encoding="utf-8")
    found = read_job(path)
    assert str(found) == "digits: 60 epochs of small 1,800 s, large 360.5 s (measured)"
    assert found.deadline == 27 * 3600 + 50 * 60
    assert found.pace("large").start == 300
    assert found.alone("large") == 300 + 60 * 360.5 + 30
    assert found.fastest.size == "large"
    assert [pace.size for pace in found.only(("large",)).paces] == ["large"]


def test_predicted_speeds_say_so() -> None:
    text = GOOD.partition("[epoch_seconds]")[0] + (
        "alone = 100\nfraction = 0.5\n[speedup]\nx2 = 2\nx4 = 4\n"
    )
    found = parse_job(text, "job.toml")
    assert str(found) == (
        "digits: 60 epochs of x2 75 s, x4 62.5 s (measured; predicted, 0.5 of the time sped up)"
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("epochs = 60", "epochs = 0", r"epochs must be a number over 0 and below 10\^9, not 0"),
        ("epochs = 60", "", "job.toml: epochs must be given; it is missing"),
        ("checkpoint = 30", "checkpoint = -3", "checkpoint must be a time such as 1d3h20m"),
        ('"4m"', '"4 minutes"', "boot must be a time such as 1d3h20m .* not '4 minutes'"),
        ('"1d3h50m"', "0", "the deadline must lie in the future, not 0 s off"),
        ("small = 1800", "small = -1", "epoch_seconds.small must be a number over 0"),
        ("[epoch_seconds]", "[epoch_times]", "a field must be one of name, epochs, epoch_seconds"),
        (
            'source = "measured"',
            'source = "m"\nalone = 3',
            "must hold either a table epoch_seconds",
        ),
        ("boot =", "boot", "must be TOML"),
    ],
)
def test_a_wrong_file_is_named(old: str, new: str, said: str) -> None:
    with pytest.raises(IntaglioError, match=said):
        parse_job(GOOD.replace(old, new), "job.toml")


def test_a_size_that_the_job_does_not_have(tmp_path: Path) -> None:
    with pytest.raises(IntaglioError, match="a size of digits must be one of small, large"):
        parse_job(GOOD, "job.toml").pace("huge")
    with pytest.raises(IntaglioError, match="must be a job file; there is no such file"):
        read_job(tmp_path / "none.toml")
