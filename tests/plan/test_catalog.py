# SPDX-License-Identifier: Apache-2.0
"""The catalog: every family reads, says where its figures come from, and bad files are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from intaglio.errors import IntaglioError
from intaglio.plan.catalog import families, family, family_of, parse_family

GOOD = """
name = "mine"
provider = "me"
board = "B"
[[size]]
name = "one"
boards = 1
list_usd_per_hour = { here = 1.5 }
source = "a bill"
date = "2026-01"
"""


@pytest.mark.parametrize("name", families())
def test_a_family_is_whole(name: str) -> None:
    found = family(name)
    assert found.name == name
    for one in found.sizes:
        assert one.source
        assert one.date
        assert one.list_price("us-east-1a") > 0
        assert family_of(one.name) == found


def test_list_prices_of_boards_are_linear() -> None:
    for name in ("aws-f1", "aws-f2", "aws-p2", "aws-p3"):
        for region, _ in family(name).sizes[0].listed:
            assert len({one.list_price(region) / one.boards for one in family(name).sizes}) == 1


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD, encoding="utf-8")
    (one,) = family(str(path)).sizes
    assert one.list_price("here-3") == 1_500_000


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("boards = 1", "boards = 0", "size 1: boards must be a whole number of 1 or more, not 0"),
        ("1.5", "-1.5", "list_usd_per_hour.here must be an amount of dollars of 0 or more"),
        ('source = "a bill"', "", "size 1: source must be given; it is missing"),
        ('board = "B"', "board = 1\ncolor = 2", "a field must be one of name, provider, board"),
        ("{ here = 1.5 }", "1.5", "list_usd_per_hour must be a table of regions, not 1.5"),
        ("[[size]]", "[size]", r"size must be a list of tables \[\[size\]\]"),
        ("name =", "name", "must be TOML"),
    ],
)
def test_a_wrong_file_is_named(old: str, new: str, said: str) -> None:
    with pytest.raises(IntaglioError, match=f"mine.toml.*{said}"):
        parse_family(GOOD.replace(old, new), "mine.toml")


def test_what_is_not_there_is_listed() -> None:
    with pytest.raises(IntaglioError, match=r"the family must be one of aws-f1, .* not 'tape'"):
        family("tape")
    with pytest.raises(IntaglioError, match=r"a size must be one of f1.2xlarge, .* not 'm5.large'"):
        family_of("m5.large")
    with pytest.raises(IntaglioError, match=r"a size of aws-f1 must be one of f1.2xlarge"):
        family("aws-f1").size("p2.xlarge")
    with pytest.raises(IntaglioError, match="must be in the catalog for eu-west-1a, which has it"):
        family("aws-f1").sizes[0].list_price("eu-west-1a")
