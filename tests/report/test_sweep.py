# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
from dataclasses import replace

import matplotlib.image
import pytest

from intaglio.quantize.cost import Cost
from intaglio.quantize.scheme import Scheme
from intaglio.quantize.sweep import Measured, Point
from intaglio.report.sweep import as_csv, lines, picture, table

FULL = Measured(0.5, 0.75, 12.34)


def points(measured: Measured) -> list[Point]:
    return [
        Point(w, a, Scheme(), Cost(100 * w, 1000 * w * a, 10 * w), measured)
        for w in (8, 1)
        for a in (8, 2)
    ]


def test_a_table_has_a_line_for_each_point() -> None:
    rows = [point.row() for point in points(FULL)[:2]]
    assert table(rows) == (
        "weights  activations  accuracy  agreement  sqnr_db  size  macs   luts\n"
        "      8            8    50.00%     75.00%     12.3   800  64000    80\n"
        "      8            2    50.00%     75.00%     12.3   800  16000    80"
    )


def test_what_there_is_none_of_is_empty() -> None:
    (row,) = [point.row() for point in points(replace(FULL, accuracy=None))[:1]]
    assert as_csv([row]) == (
        b"weights,activations,accuracy,agreement,sqnr_db,size,macs,luts\n"
        b"8,8,,0.75,12.34,800,64000,80\n"
    )
    assert table([row]).splitlines()[1].split()[2] == "-"


@pytest.mark.parametrize(
    "measured",
    [
        FULL,
        replace(FULL, accuracy=None),
        replace(FULL, accuracy=None, agreement=None),
        Measured(None, None, None),
    ],
    ids=["accuracy", "agreement", "decibels", "nothing"],
)
def test_a_picture_shows_what_all_points_have(measured: Measured) -> None:
    found = points(measured)
    drawn = picture(found, 0.9, replace(found[0], measured=measured))
    assert matplotlib.image.imread(io.BytesIO(drawn)).shape == (480, 1440, 4)
    assert picture(found, 0.9, replace(found[0], measured=measured)) == drawn


def test_points_of_as_many_bits_of_activations_make_a_line_or_those_of_equal_bits() -> None:
    found = points(FULL)
    assert lines(found) == {"8": [found[0], found[2]], "2": [found[1], found[3]]}
    equal = [replace(found[0], weights=bits, activations=bits) for bits in (8, 4, 2)]
    assert lines(equal) == {"as weights": equal}
