# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.errors import ModelError
from intaglio.numerics.functions import FORMULAS, apply, require_function

#: Each function once more, by the book, on one Python float of a moderate size.
BY_THE_BOOK: dict[str, Callable[..., float]] = {
    "abs": abs,
    "ceil": math.ceil,
    "cos": math.cos,
    "elu": lambda x, alpha: x if x > 0 else alpha * (math.exp(x) - 1),
    "erf": math.erf,
    "exp": math.exp,
    "floor": math.floor,
    "gelu": lambda x: x * (1 + math.erf(x / 2**0.5)) / 2,
    "gelu_tanh": lambda x: x * (1 + math.tanh((2 / math.pi) ** 0.5 * (x + 0.044715 * x**3))) / 2,
    "hard_sigmoid": lambda x, alpha, beta: min(max(alpha * x + beta, 0), 1),
    "hard_swish": lambda x: x * min(max(x / 6 + 0.5, 0), 1),
    "leaky_relu": lambda x, slope: x if x >= 0 else slope * x,
    "log": math.log,
    "mish": lambda x: x * math.tanh(math.log(1 + math.exp(x))),
    "power": math.pow,
    "reciprocal": lambda x: 1 / x,
    "round": round,
    "selu": lambda x, alpha, gamma: gamma * (x if x > 0 else alpha * (math.exp(x) - 1)),
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "sign": lambda x: (x > 0) - (x < 0),
    "silu": lambda x: x / (1 + math.exp(-x)),
    "sin": math.sin,
    "softplus": lambda x: math.log(1 + math.exp(x)),
    "softsign": lambda x: x / (1 + abs(x)),
    "sqrt": math.sqrt,
    "square": lambda x: x * x,
    "tanh": math.tanh,
}
#: Functions of numbers above zero alone.
POSITIVE = {"log", "power", "reciprocal", "sqrt"}


def test_the_book_has_every_function() -> None:
    assert list(FORMULAS) == sorted(BY_THE_BOOK)


@pytest.mark.parametrize("kind", FORMULAS)
@given(st.floats(-20, 20), st.floats(0.01, 3), st.floats(0.01, 3))
def test_a_function_is_that_of_the_book(kind: str, x: float, first: float, second: float) -> None:
    parameters = (first, second)[: len(FORMULAS[kind].parameters)]
    require_function(kind, parameters)
    if kind in POSITIVE:
        x = abs(x) + 0.01
    expected = BY_THE_BOOK[kind](x, *parameters)
    found = apply(kind, parameters, np.full((2, 1), x))
    assert found.dtype == np.float64
    assert found.shape == (2, 1)
    assert found.ravel().tolist() == pytest.approx([expected] * 2, rel=1e-12, abs=1e-13)


@pytest.mark.parametrize("kind", FORMULAS)
def test_far_from_zero_nothing_warns_and_a_bounded_function_has_its_limit(kind: str) -> None:
    parameters = (0.5, 0.25)[: len(FORMULAS[kind].parameters)]
    found = apply(kind, parameters, np.array([-1e300, -1e4, 0.0, 1e4, 1e300]))
    assert not np.isnan(found).any() or kind in POSITIVE
    limits = {
        "erf": (-1, 1),
        "hard_sigmoid": (0, 1),
        "sigmoid": (0, 1),
        "softsign": (-1, 1),
        "tanh": (-1, 1),
    }
    if kind in limits:
        assert (found[0], found[-1]) == limits[kind]
    if kind in ("gelu", "gelu_tanh", "hard_swish", "mish", "silu", "softplus"):
        assert found[[0, 1, 3]].tolist() == [0, 0, 1e4]


def test_small_values_keep_their_digits() -> None:
    """Where 1 + erf, 1 + tanh or log(1 + exp) would leave rounding only."""
    assert apply("gelu", (), np.array(-9.0)) == pytest.approx(
        -4.5 * math.erfc(9 / 2**0.5), rel=1e-9
    )
    assert apply("gelu_tanh", (), np.array(-9.0)) < 0
    assert apply("sigmoid", (), np.array(-40.0)) == pytest.approx(math.exp(-40), rel=1e-9)
    assert apply("softplus", (), np.array(-40.0)) == pytest.approx(math.exp(-40), rel=1e-9)


def test_where_there_is_no_value_the_result_says_so() -> None:
    assert np.isnan(apply("sqrt", (), np.array(-1.0)))
    assert np.isnan(apply("log", (), np.array(-1.0)))
    assert apply("log", (), np.array(0.0)) == -math.inf
    assert apply("reciprocal", (), np.array(0.0)) == math.inf


@pytest.mark.parametrize(
    ("kind", "parameters", "text"),
    [
        ("arctan", (), r"a function must be one of abs, ceil, .*, tanh, not 'arctan'"),
        ("elu", (), r"elu must have parameters alpha, not \[\]"),
        ("hard_sigmoid", (1,), r"hard_sigmoid must have parameters alpha, beta, not \[1\]"),
        ("tanh", (1.5,), r"tanh must have no parameters, not \[1\.5\]"),
        ("leaky_relu", (math.nan,), r"slope of leaky_relu must be finite, not nan"),
    ],
)
def test_what_is_no_function_is_refused(
    kind: str, parameters: tuple[float, ...], text: str
) -> None:
    with pytest.raises(ModelError, match=f"^{text}$"):
        require_function(kind, parameters)
