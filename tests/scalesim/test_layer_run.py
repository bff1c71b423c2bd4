# SPDX-License-Identifier: Apache-2.0
"""Every number of a layer, against plain loops over every line and word."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.errors import ModelError
from intaglio.scalesim.config import Config
from intaglio.scalesim.layer_run import run_layer
from intaglio.scalesim.topology import Layer
from tests.scalesim import slow
from tests.scalesim.layers import TINY, configs, layers


def same(layer: Layer, config: Config) -> None:
    """Compare all numbers, floats to the last digit; where one divides by zero, so must both."""
    try:
        expected = slow.simulate(layer, config).row
    except slow.DividesByZeroError:
        with pytest.raises(ModelError, match="divides"):
            run_layer(layer, config)
        return
    found = run_layer(layer, config)
    assert asdict(replace(found, storage=None)) == asdict(expected)


@given(layers, configs(user=False))
def test_estimated_bandwidth(layer: Layer, config: Config) -> None:
    same(layer, config)


@given(layers, configs(user=True))
def test_given_bandwidths(layer: Layer, config: Config) -> None:
    same(layer, config)


@given(layers, st.booleans().flatmap(lambda user: configs(user=user, sparse=True)))
def test_sparse_filters(layer: Layer, config: Config) -> None:
    same(layer, config)


def test_more_windows_than_are_fetched_in_order() -> None:
    layer = Layer("large", 4000, 4000, 5, 5, 1, 1, 1, 1)
    with pytest.raises(ModelError) as error:
        run_layer(layer, replace(TINY, user=True))
    assert str(error.value) == (
        "layer 'large' must have at most 268435456 words in all windows where bandwidths are "
        "given (USER), not 399200400"
    )
    small = replace(layer, height=9, width=9)
    assert run_layer(small, TINY).total_cycles == 9 * 28 - 1
