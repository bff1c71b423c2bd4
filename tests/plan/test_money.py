# SPDX-License-Identifier: Apache-2.0
"""Money and time: whole numbers, read and printed, and refused where they are none."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.errors import IntaglioError
from intaglio.plan.money import (
    bill,
    clock,
    dollars,
    duration,
    hourly_price,
    micro_dollars,
    moment,
    seconds_of,
)
from intaglio.plan.text_file import read_text


@given(st.integers(0, 10**10), st.integers(0, 10**6))
def test_a_bill_is_exact_but_for_half_a_micro_dollar(price: int, seconds: int) -> None:
    assert abs(Fraction(price * seconds, 3600) - bill(price, seconds)) <= Fraction(1, 2)


@given(st.integers(0, 10**9))
def test_a_duration_is_read_again(seconds: int) -> None:
    assert seconds_of(duration(seconds), "it") == seconds


@given(st.integers(1_136_073_600, 4_000_000_000))
def test_a_moment_is_read_again(seconds: int) -> None:
    assert moment(clock(seconds), "it") == seconds


def test_money_is_printed_so_that_it_can_be_told_apart() -> None:
    assert [dollars(n) for n in (1_234_567_890, 1_000_000, 123_400, 0)] == [
        "$1,234.57",
        "$1.00",
        "$0.1234",
        "$0.0000",
    ]
    assert micro_dollars("0.3368", "it") == 336_800
    assert hourly_price(1.65, "it") == 1_650_000


@pytest.mark.parametrize("value", [None, "", "1h1", "1.5h", -1, True, "h"])
def test_no_time_is_refused(value: Any) -> None:
    with pytest.raises(IntaglioError, match="it must be a time such as 1d3h20m or whole seconds"):
        seconds_of(value, "it")


@pytest.mark.parametrize("value", [None, "", "inf", -0.1, True, [1], "1e99"])
def test_no_money_is_refused(value: Any) -> None:
    with pytest.raises(IntaglioError, match="it must be an amount of dollars of 0 or more, not"):
        micro_dollars(value, "it")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(IntaglioError, match="must be a job file, not something other than text"):
        read_text(path, "a job file")
    with pytest.raises(IntaglioError, match="must be a job file; there is no such file"):
        read_text(tmp_path, "a job file")
