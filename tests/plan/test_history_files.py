# SPDX-License-Identifier: Apache-2.0
"""Price histories: AWS's JSON and CSV, in any order, mended where that is safe, else refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.errors import IntaglioError
from intaglio.plan.generator import generate
from intaglio.plan.history_files import FIELDS, read_history, save_history
from intaglio.plan.money import moment
from intaglio.plan.prices import NO_PRICE, Record, history

NOON = moment("2020-03-01T12:00:00Z", "noon")


def row(**changed: Any) -> dict[str, Any]:
    fields = ("2020-03-01T12:00:00.000Z", "us-east-1a", "p2.xlarge", "Linux/UNIX", "0.270000")
    return {**dict(zip(FIELDS, fields, strict=True)), **changed}


def write(folder: Path, *rows: dict[str, Any]) -> Path:
    path = folder / "prices.json"
    path.write_text(json.dumps({"SpotPriceHistory": rows}), encoding="utf-8")
    return path


def test_json_newest_first_with_duplicates_and_conflicts(tmp_path: Path) -> None:
    found = read_history(
        write(
            tmp_path,
            row(Timestamp="2020-03-01T14:00:00+00:00", SpotPrice="0.3"),
            row(Timestamp="2020-03-01T14:00:00+01:00", SpotPrice="0.28"),
            row(),
            row(),
            row(SpotPrice="0.275"),
            row(ProductDescription="Windows"),
        )
    )
    series = found.series["us-east-1a", "p2.xlarge"]
    assert (series.times - NOON).tolist() == [0, 3600, 7200]
    assert series.prices.tolist() == [275_000, 280_000, 300_000]
    assert dict(found.repairs) == {
        "of other products left out": 1,
        "out of order": 2,
        "duplicates": 1,
        "conflicts": 1,
        "held over a gap of days": 0,
    }
    assert str(found) == (
        "prices.json: 3 prices of 1 sizes in zones (1 of other products left out, 2 out of order, "
        "1 duplicates, 1 conflicts)"
    )


def test_gaps_are_counted(tmp_path: Path) -> None:
    late = row(Timestamp="2020-03-20T12:00:00Z")
    found = read_history(write(tmp_path, row(), late, row(AvailabilityZone="us-east-1b")))
    assert found.repairs["held over a gap of days"] == 2


def test_a_folder_of_csv_and_json_is_one_history(tmp_path: Path) -> None:
    write(tmp_path, row())
    text = ",".join(FIELDS) + "\n2020-03-01 13:00:00+00:00,us-east-1b,p2.xlarge,Linux/UNIX,0.3\n"
    (tmp_path / "more.csv").write_text(text, encoding="utf-8")
    assert read_history(tmp_path).zones == ("us-east-1a", "us-east-1b")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"SpotPrice": "-0.1"}, "SpotPrice must be an amount of dollars of 0 or more, not '-0.1'"),
        ({"SpotPrice": "free"}, "SpotPrice must be an amount of dollars of 0 or more, not 'free'"),
        ({"SpotPrice": "NaN"}, "SpotPrice must be an amount of dollars of 0 or more, not 'NaN'"),
        ({"SpotPrice": "0.00001"}, "SpotPrice must lie in $0.0001 to $1000 an hour, not '0.00001'"),
        ({"SpotPrice": "27000"}, "SpotPrice must lie in $0.0001 to $1000 an hour, not '27000'"),
        ({"SpotPrice": None}, "SpotPrice must be given; it is missing"),
        ({"InstanceType": ""}, "InstanceType must be given; it is missing"),
        ({"Timestamp": "2020-03-01T12:00:00"},
         "Timestamp must have a time zone, such as Z at its end, not '2020-03-01T12:00:00'"),
        ({"Timestamp": "yesterday"},
         "Timestamp must be a time such as 2020-03-01T12:00:00Z, not 'yesterday'"),
        ({"Timestamp": "1999-03-01T12:00:00Z"},
         "Timestamp must be later than 2005, not '1999-03-01T12:00:00Z'"),
    ],
)  # fmt: skip
def test_a_wrong_record_is_named(tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    path = write(tmp_path, row(), row(**changed))
    with pytest.raises(IntaglioError) as caught:
        read_history(path)
    assert str(caught.value) == f"{path}: record 2: {said}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"SpotPriceHistory": [', "must be JSON as a whole; it is cut or damaged"),
        ('{"Prices": []}', "must hold a list SpotPriceHistory; it is missing"),
        ("a,b\n1,2\n", "must have a column Timestamp in its first line"),
        ('{"SpotPriceHistory": [3]}', "record 1 must be an object with Timestamp"),
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "prices.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(IntaglioError, match=said):
        read_history(path)


def test_nothing_is_no_history(tmp_path: Path) -> None:
    with pytest.raises(IntaglioError, match=r"prices\.json must hold a price at least"):
        read_history(write(tmp_path))
    (tmp_path / "empty").mkdir()
    with pytest.raises(IntaglioError, match=r"must hold \.csv or \.json files of prices"):
        read_history(tmp_path / "empty")
    with pytest.raises(IntaglioError, match="must be a price history; there is no such file"):
        read_history(tmp_path / "none.csv")


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(100, 900)), min_size=1), st.integers(1, 9)
)
def test_the_mean_price_is_that_of_every_second(points: list[tuple[int, int]], length: int) -> None:
    found = history([Record(t, "z", "s", p) for t, p in points], "here").series["z", "s"]
    edges = np.arange(0, 60, length, dtype=np.int64)
    each = found.at(np.arange(60))
    for first, mean in zip(edges.tolist(), found.means(edges).tolist(), strict=False):
        part = each[first : first + length]
        if part[0] == NO_PRICE:
            assert mean == NO_PRICE
        else:
            assert mean == (int(part.sum()) + length // 2) // length


def test_generated_prices_are_saved_with_their_label(tmp_path: Path) -> None:
    made = generate({"x": 10**6}, ["us-east-1a"], start=NOON, seconds=10**6, seed=1)
    save_history(tmp_path / "made.csv", made)
    read = read_history(tmp_path / "made.csv")
    assert read.generated
    assert str(read).startswith("GENERATED prices, no real market: made.csv: ")
    series, again = made.series["us-east-1a", "x"], read.series["us-east-1a", "x"]
    assert series.times.tolist() == again.times.tolist()
    assert series.prices.tolist() == again.prices.tolist()
    assert sum(read.repairs.values()) == 0
