# SPDX-License-Identifier: Apache-2.0
"""What all estimators of ranges must keep, and what each one promises."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.errors import QuantizationError
from intaglio.numerics.types import IntType
from intaglio.quantize import estimators
from intaglio.quantize.affine import AFFINE
from intaglio.quantize.entropy import divergence, least_divergence
from intaglio.quantize.fixed_point import (
    ZERO_POSITION,
    Votes,
    min_diffs,
    min_roots,
    non_overflow,
)
from intaglio.quantize.histogram import BINS, Counts, Histogram
from intaglio.quantize.mse import MeanSquare, squared_error
from intaglio.quantize.percentile import Percentile
from intaglio.quantize.power_of_two import POWER_OF_TWO
from intaglio.quantize.quantizer import Quantizer
from intaglio.quantize.ranges import Choose, Coding, Observer, Range

NUMBERS = st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=40)
S8 = IntType.parse("s8")


def choose(quantizer: Quantizer, text: str) -> Choose:
    element = IntType.parse(text)
    return lambda range_: quantizer.activation(range_, element)


def seen(observer: Observer, batches: Sequence[np.ndarray]) -> Range:
    for batch in batches:
        observer.observe(batch)
    return observer.range()


# --- all of them ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "quantizer"),
    [
        *[(name, POWER_OF_TWO) for name in estimators()],
        *[(name, AFFINE) for name in ("min_max", "percentile", "mse", "entropy")],
    ],
)
@given(numbers=NUMBERS, text=st.sampled_from(["u1", "u3", "u8", "s8", "s16"]))
def test_codes_of_the_range_never_leave_much_more_than_what_was_seen(
    name: str, quantizer: Quantizer, numbers: list[float], text: str
) -> None:
    values, make = np.array(numbers, dtype=np.float32), choose(quantizer, text)
    found = seen(estimators()[name](make), [values])
    whole = Range.of(values)
    assert found.magnitude <= 8 * whole.magnitude
    assert make(found).scale > 0


@pytest.mark.parametrize("name", list(estimators()))
def test_nothing_but_zeros_has_the_empty_range(name: str) -> None:
    assert seen(estimators()[name](choose(AFFINE, "u8")), [np.zeros((2, 3))]) == Range(0.0, 0.0)


@pytest.mark.parametrize("name", list(estimators()))
def test_a_constant_is_met_exactly_or_to_its_code(name: str) -> None:
    make = choose(AFFINE, "u8")
    coding = make(seen(estimators()[name](make), [np.full(100, 2.5)]))
    assert coding.scale * (coding.code(2.5) - coding.zero_point) == pytest.approx(2.5, rel=0.01)


@pytest.mark.parametrize("name", list(estimators()))
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_no_number_is_refused(name: str, bad: float) -> None:
    with pytest.raises(QuantizationError, match=r"^a range must be finite, not "):
        estimators()[name](choose(AFFINE, "u8")).observe(np.array([1.0, bad]))


@pytest.mark.parametrize("name", ["min_max", "percentile", "mse", "entropy"])
@given(numbers=NUMBERS, cut=st.integers(0, 40))
def test_how_data_is_cut_into_batches_changes_nothing(
    name: str, numbers: list[float], cut: int
) -> None:
    values, make = np.array(numbers, dtype=np.float32), choose(AFFINE, "u4")
    parts = [part for part in (values[:cut], values[cut:]) if part.size]
    estimator = estimators()[name]
    assert seen(estimator(make), parts) == seen(estimator(make), [values])


# --- histogram -----------------------------------------------------------------------------------


@given(st.lists(NUMBERS, min_size=1, max_size=4))
def test_a_histogram_is_that_of_all_values_at_once(batches: list[list[float]]) -> None:
    histogram, values = Histogram(), np.concatenate([np.array(b) for b in batches])
    for batch in batches:
        histogram.add(np.array(batch))
    assert histogram.count == values.size
    assert histogram.zeros == (values == 0).sum()
    assert histogram.range == Range.of(values)
    if values.any():
        assert histogram.width * BINS / 2 <= np.abs(values).max() < histogram.width * BINS
        bins = np.floor(np.abs(values[values > 0]) / histogram.width).astype(int)
        assert np.array_equal(histogram.above(), np.bincount(bins, minlength=BINS))
        bins = np.floor(np.abs(values[values < 0]) / histogram.width).astype(int)
        assert np.array_equal(histogram.below(), np.bincount(bins, minlength=BINS))


@given(NUMBERS)
def test_centers_of_bins_are_near_the_values(numbers: list[float]) -> None:
    histogram, values = Histogram(), np.array(numbers)
    histogram.add(values)
    counted = histogram.counted()
    found = np.repeat(counted.values, counted.counts)
    assert np.abs(found - np.sort(values[values != 0])).max(initial=0) <= histogram.width / 2


# --- percentile ----------------------------------------------------------------------------------


@given(NUMBERS, st.floats(51, 100))
def test_a_percentile_leaves_no_more_than_its_share_outside(
    numbers: list[float], percent: float
) -> None:
    values = np.array(numbers)
    found = seen(Percentile(choose(AFFINE, "u8"), percent), [values])
    share = len(values) * (100 - percent) / 100
    assert (values > found.high).sum() <= share
    assert (values < found.low).sum() <= share
    exact = np.sort(values)[len(values) - 1 - math.floor(share)]
    assert found.high <= max(exact, 0.0) + np.abs(values).max() / (BINS / 2)


def test_outliers_are_left_out() -> None:
    values = np.concatenate([np.linspace(0, 1, 99_999), [1000.0]])
    assert seen(Percentile(choose(AFFINE, "u8")), [values]).high < 1.5
    assert seen(Percentile(choose(AFFINE, "u8"), 100.0), [values]) == Range(0.0, 1000.0)


def test_a_share_that_is_none_is_refused() -> None:
    with pytest.raises(QuantizationError, match=r"^a percentile must be above 50 and at most 100"):
        Percentile(choose(AFFINE, "u8"), 100.5)


# --- least squares -------------------------------------------------------------------------------


@pytest.mark.parametrize("quantizer", [AFFINE, POWER_OF_TWO])
@given(seed=st.integers(0, 1000), bits=st.integers(2, 5), fraction=st.floats(0.05, 1.0))
def test_no_fraction_of_the_extremes_is_nearer(
    quantizer: Quantizer, seed: int, bits: int, fraction: float
) -> None:
    values = np.random.default_rng(seed).standard_t(3, 500)
    make = choose(quantizer, f"u{bits}")
    coding = make(seen(MeanSquare(make), [values]))
    exact = Counts(values, np.ones(len(values)))
    other = make(Range.of(values).scaled(fraction))
    assert squared_error(exact, coding) <= squared_error(exact, other) * 1.02


def test_an_outlier_saturates_where_few_codes_must_serve_many() -> None:
    values = np.concatenate([np.random.default_rng(0).random(10_000), [9.0]])
    assert seen(MeanSquare(choose(AFFINE, "u2")), [values]).high < 1.5
    assert seen(MeanSquare(choose(AFFINE, "u16")), [values]) == Range(0.0, 9.0)


def test_each_bound_is_found_by_itself() -> None:
    random = np.random.default_rng(0)
    values = np.concatenate([random.random(10_000), -0.01 * random.random(10), [-9.0]])
    found = seen(MeanSquare(choose(AFFINE, "u3")), [values])
    assert found.low > -1.0
    assert 0.8 < found.high < 1.1


# --- entropy -------------------------------------------------------------------------------------


def test_a_divergence_is_that_of_the_book() -> None:
    """Four bins kept, two codes: groups (4, 0) and (2, 6 + 8 beyond)."""
    counts = np.array([4, 0, 2, 6, 5, 3])
    p = np.array([4, 2, 14]) / 20
    q = np.array([4, 4, 4]) / 12
    assert divergence(counts, 4, 2) == pytest.approx((p * np.log(p / q)).sum())
    assert divergence(np.array([4, 1, 2, 0, 5]), 4, 2) == math.inf


@given(st.lists(st.integers(0, 50), min_size=6, max_size=30), st.integers(2, 5))
def test_the_least_divergence_is_taken(counts: list[int], levels: int) -> None:
    array = np.array([*counts, 1])
    used = len(counts) + 1
    kept = least_divergence(array, levels)
    found = [divergence(array, size, levels) for size in range(levels, used + 1)]
    assert found[kept - levels] == min(found)


def test_a_long_tail_is_cut() -> None:
    values = np.concatenate([np.random.default_rng(0).normal(size=100_000), [60.0, -60.0]])
    found = seen(estimators()["entropy"](choose(AFFINE, "s8")), [values])
    assert 3.0 < found.high < 15.0
    assert found.low == -found.high


# --- fixed point of Vitis AI ---------------------------------------------------------------------


def test_positions_at_their_corners() -> None:
    """-1..1 needs 127.5 half steps: 6.99 bits behind the point, and 6 are whole."""
    assert non_overflow(np.array([-1.0, 1.0]), S8) == 6
    assert non_overflow(np.array([0.996]), S8) == 7
    assert non_overflow(np.array([127.5 / 128]), S8) == 7
    assert non_overflow(np.array([-128.5 / 128]), S8) == 7
    assert non_overflow(np.array([-128.6 / 128]), S8) == 6
    assert non_overflow(np.zeros(3), S8) == ZERO_POSITION
    assert non_overflow(np.array([300.0]), S8) == -2
    assert min_diffs(np.zeros(3), S8) == ZERO_POSITION


@given(NUMBERS, st.sampled_from(["s8", "s4", "u8"]))
def test_positions_by_definition(numbers: list[float], text: str) -> None:
    values, element = np.array(numbers), IntType.parse(text)
    if not values.any() or (not element.signed and values.min() < 0):
        return
    first = non_overflow(values, element)
    for position, fits in ((first, True), (first + 1, False)):
        steps = values * 2.0**position
        inside = steps.min() >= element.min - 0.5 and steps.max() <= element.max + 0.5
        assert inside == fits
    for method, cost in (
        (min_diffs, lambda away: (away**2).sum()),
        (min_roots, lambda away: np.sqrt(np.abs(away) / (np.abs(values) + 1e-9)).sum()),
    ):
        costs = []
        for position in range(first, first + 5):
            codes = np.clip(np.floor(values * 2.0**position + 0.5), element.min, element.max)
            costs.append(cost(codes * 2.0**-position - values))
        assert method(values, element) - first == costs.index(min(costs))


def test_the_most_frequent_position_is_taken_and_of_equals_the_least() -> None:
    def voted(*magnitudes: float) -> float:
        make = choose(POWER_OF_TWO, "s8")
        batches = [np.array([m, -m]) for m in magnitudes]
        return -math.log2(make(seen(Votes(make, non_overflow), batches)).scale)

    assert voted(0.5, 0.5, 100.0) == 7
    assert voted(0.5, 100.0) == 0
    assert voted(0.5, 100.0, 0.0, 0.0, 0.0) == 0


def test_a_vote_of_unsigned_codes_counts_among_signed_ones() -> None:
    make = choose(POWER_OF_TWO, "u8")
    batches = [np.array([0.9]), np.array([0.9]), np.array([-0.9])]
    assert make(seen(Votes(make, non_overflow), batches)) == Coding(S8, 2.0**-7)
    assert make(seen(Votes(make, non_overflow), batches[:1])) == Coding(
        IntType.parse("u8"), 2.0**-8
    )
