# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.quantize.knapsack import Option, choose

OPTIONS = st.builds(
    Option, st.integers(0, 20).map(float), st.one_of(st.integers(0, 9).map(float), st.floats(0, 9))
)


@given(
    st.lists(st.lists(OPTIONS, min_size=1, max_size=4), min_size=1, max_size=5),
    st.integers(0, 80),
)
def test_the_choice_is_the_best_of_all(items: list[list[Option]], budget: int) -> None:
    found = choose(items, budget)
    fitting = [
        (sum(o.loss for o in every), sum(o.cost for o in every))
        for every in product(*items)
        if sum(o.cost for o in every) <= budget
    ]
    if not fitting:
        assert found is None
        return
    assert found is not None
    taken = [options[place] for options, place in zip(items, found, strict=True)]
    assert sum(o.cost for o in taken) <= budget
    assert sum(o.loss for o in taken) == pytest.approx(min(fitting)[0], abs=1e-9)


@given(st.integers(0, 100))
def test_of_equal_losses_the_cheaper_is_taken(budget: int) -> None:
    items = [[Option(10.0, 1.0), Option(3.0, 1.0)], [Option(5.0, 2.0), Option(4.0, 2.0)]]
    assert choose(items, budget) == ([1, 1] if budget >= 7 else None)


def test_many_layers_are_no_trouble() -> None:
    """60 layers of 64 options, costs of any size: too many by far to be tried."""
    random = np.random.default_rng(0)
    items = []
    for size in random.integers(1_000, 1_000_000, 60):
        pairs = [(w, a) for w in range(1, 9) for a in range(1, 9)]
        noise = random.random(2)
        items.append(
            [Option(float(size * w * a), noise[0] * 4.0**-w + noise[1] * 4.0**-a) for w, a in pairs]
        )
    full = sum(options[-1].cost for options in items)
    found = choose(items, full / 5)
    assert found is not None
    taken = [options[place] for options, place in zip(items, found, strict=True)]
    assert sum(o.cost for o in taken) <= full / 5
    even = [options[27] for options in items]  # four and four bits, of nearly a quarter's cost
    assert sum(o.loss for o in taken) < sum(o.loss for o in even) * 1.5
