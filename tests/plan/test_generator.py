# SPDX-License-Identifier: Apache-2.0
"""Generated prices: the same for a seed, never above list price, and labeled."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.errors import IntaglioError
from intaglio.plan.generator import Shape, assumed, generate

LISTED = {"small": 1_000_000, "large": 8_000_000}


@given(st.integers(0, 99))
def test_prices_lie_between_nothing_and_list_and_move(seed: int) -> None:
    made = generate(LISTED, ["a", "b"], start=10**9, seconds=5 * 86_400, seed=seed)
    assert len(made.series) == 4
    for (_, size), series in made.series.items():
        assert series.times[0] == 10**9
        assert (np.diff(series.times) >= 59).all()
        assert 0 < series.prices.min() <= series.prices.max() <= LISTED[size]
        assert len(set(series.prices.tolist())) > 3


def test_a_seed_makes_the_same_prices() -> None:
    first, again, other = (
        generate(LISTED, ["a"], start=10**9, seconds=86_400, seed=seed) for seed in (1, 1, 2)
    )
    key = ("a", "small")
    assert first.series[key].prices.tolist() == again.series[key].prices.tolist()
    assert first.series[key].prices.tolist() != other.series[key].prices.tolist()
    assert str(first).startswith("GENERATED prices, no real market: generator, seed 1")


def test_they_return_to_their_level() -> None:
    shape = Shape(level=0.4, volatility=0.05, spikes_a_day=0)
    made = generate(LISTED, ["a"], start=10**9, seconds=200 * 86_400, seed=3, shape=shape)
    shares = made.series["a", "large"].prices / LISTED["large"]
    assert np.exp(np.log(shares).mean()) == pytest.approx(0.4, rel=0.03)


def test_a_shape_is_checked() -> None:
    with pytest.raises(IntaglioError, match=r"the level must be a share .* not 1\.5"):
        Shape(level=1.5)
    with pytest.raises(IntaglioError, match="step_hours must be a number over 0, not 0"):
        Shape(step_hours=0)
    with pytest.raises(IntaglioError, match="must last a second at least, not 0"):
        generate(LISTED, ["a"], start=0, seconds=0, seed=0)


def test_an_assumed_price_is_a_share_of_list_price() -> None:
    made = assumed(LISTED, ["a"], 0.3, start=10**9)
    assert made.series["a", "large"].prices.tolist() == [2_400_000]
    assert made.generated
    with pytest.raises(
        IntaglioError, match="share of list price must be over 0 and up to 1, not 2"
    ):
        assumed(LISTED, ["a"], 2.0, start=0)
