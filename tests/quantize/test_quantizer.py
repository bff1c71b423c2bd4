# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import EntryPoint

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio import plugins
from intaglio.errors import QuantizationError
from intaglio.numerics.types import IntType
from intaglio.quantize.quantizer import Coding
from intaglio.quantize.scheme import Scheme

# The package itself: `intaglio.quantize` as an attribute is the function of that name.
package = import_module("intaglio.quantize")
U8 = IntType.parse("u8")


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """What other tests have found is not found again."""
    for find in (package.quantizers, package.estimators):
        find.cache_clear()
    yield
    for find in (package.quantizers, package.estimators):
        find.cache_clear()


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e3), st.integers(0, 255))
def test_a_code_is_the_nearest_one_or_the_end(real: float, scale: float, zero_point: int) -> None:
    coding = Coding(U8, scale, zero_point)
    code = coding.code(real)
    assert 0 <= code <= 255
    error = abs(real / scale - (code - zero_point))
    assert error <= 0.5 + 1e-9 or code in (0, 255)


def test_infinite_bounds_have_the_extreme_codes() -> None:
    coding = Coding(U8, 0.1, 7)
    assert (coding.code(-math.inf), coding.code(math.inf)) == (0, 255)
    assert Coding(U8, 1.0).code(2.5) == 3


def test_quantizers_and_estimators_are_found_by_name() -> None:
    assert {"affine", "pow2"} <= set(package.quantizers())
    assert all(quantizer.name == name for name, quantizer in package.quantizers().items())
    assert {"min_max", "percentile", "mse", "entropy", "min_diffs"} <= set(package.estimators())


@pytest.mark.parametrize(
    ("name", "value", "find"),
    [
        ("affine", "intaglio.quantize.affine:AFFINE", package.quantizers),
        ("min_max", "intaglio.quantize.min_max:MinMax", package.estimators),
    ],
)
def test_an_outside_package_may_not_take_a_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, find: object
) -> None:
    monkeypatch.setattr(plugins, "entry_points", lambda group: [EntryPoint(name, value, group)])
    with pytest.raises(QuantizationError, match=f"^the name '{name}' must be registered once"):
        find()


def test_an_outside_package_adds_an_estimator(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint("mine", "intaglio.quantize.mse:MeanSquare", "intaglio.estimators")
    monkeypatch.setattr(plugins, "entry_points", lambda **_: [entry])
    assert Scheme(estimator="mine").estimator == "mine"


def test_an_outside_package_adds_a_quantizer(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint("mine", "intaglio.quantize.affine:AFFINE", "intaglio.quantizers")
    monkeypatch.setattr(plugins, "entry_points", lambda **_: [entry])
    assert "mine" in package.quantizers()
