# SPDX-License-Identifier: Apache-2.0
"""Networks by name: ours, and a user's function."""

from __future__ import annotations

import re

import pytest
import torch
from torch import nn

from intaglio.errors import IntaglioError
from intaglio.train.zoo import NETWORKS, network

SIZES = {"lenet5": (1, 28, 28), "sign_cnn": (1, 28, 28)}


@pytest.mark.parametrize("name", NETWORKS)
def test_each_name_gives_a_classifier_of_its_seed(name: str) -> None:
    made, again = network(name, 10, 3), network(name, 10, 3)
    x = torch.rand(2, *SIZES.get(name, (3, 32, 32)))
    assert made.eval()(x).shape == (2, 10)
    assert torch.equal(made(x), again.eval()(x))


def test_some_take_a_number_of_classes() -> None:
    assert network("nin", 100, 0).eval()(torch.zeros(1, 3, 32, 32)).shape == (1, 100)


def test_a_function_of_the_user_makes_a_network() -> None:
    assert isinstance(network("torch.nn:Identity", 10, 0), nn.Identity)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("lenet", "a network must be one of cnv, lenet5, mobilenet, nin, resnet8, sign_cnn, or "
         "module:function, not 'lenet'"),
        ("no_such:thing", "no_such:thing must be a function that can be called: No module named"),
        ("math:no_such", "math:no_such must be a function that can be called: module 'math' has"),
        ("math:sqrt", "math:sqrt must be a function that can be called: math.sqrt() takes"),
        ("builtins:dict", "builtins:dict must return a torch module, not dict"),
    ],
)  # fmt: skip
def test_what_is_no_network_is_refused(name: str, text: str) -> None:
    with pytest.raises(IntaglioError, match=f"^{re.escape(text)}"):
        network(name, 10, 0)
