# SPDX-License-Identifier: Apache-2.0
"""Networks made ready: where quantizers stand, what training changes, what is left when frozen."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings
from torch import nn
from torch.nn import functional

from intaglio.errors import ModelError, QuantizationError
from intaglio.train.quantized import (
    METHODS,
    Grid,
    Override,
    QatScheme,
    activation_quantizers,
    calibrate,
    frozen,
    latent_weights,
    prepare,
    weight_quantizers,
)
from intaglio.train.zoo.lenet5 import LeNet5
from intaglio.train.zoo.resnet8 import ResNet8
from intaglio.train.zoo.unet import UNet


class Small(nn.Module):
    """A sum, an average, functions for modules, and one ReLU used twice."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.one = nn.Conv2d(1, 4, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(4)
        self.relu = nn.ReLU()
        self.two = nn.Conv2d(4, 4, 1)
        self.drop = nn.Dropout(0.3)
        self.dense = nn.Linear(16, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.relu(self.norm(self.one(x)))
        x = self.relu(self.two(x) + x)
        x = functional.avg_pool2d(functional.max_pool2d(x, 2), 2)
        return self.dense(self.drop(torch.flatten(x, 1)))


@st.composite
def schemes(draw: st.DrawFn) -> QatScheme:
    method = draw(st.sampled_from(list(METHODS)))
    weights = {"binary": 1, "ternary": 2}.get(method) or draw(st.integers(2, 8))
    return QatScheme(
        weights=weights,
        activations=draw(st.integers(2, 8)),
        method=method,
        first=draw(st.none() | st.integers(2, 8)),
        per_channel=draw(st.booleans()),
        power_of_two=draw(st.booleans()),
    )


def images(seed: int, count: int = 4) -> torch.Tensor:
    return torch.rand(count, 1, 8, 8, generator=torch.Generator().manual_seed(seed))


def ready(scheme: QatScheme, seed: int) -> nn.Module:
    model = prepare(Small(seed), scheme)
    calibrate(model, images(seed))
    return model


@settings(max_examples=20)
@given(schemes(), st.integers(0, 2**31))
def test_full_weights_are_only_ever_what_the_optimizer_makes_them(
    scheme: QatScheme, seed: int
) -> None:
    """Beside the network, an optimizer moves copies of the weights by the same gradients."""
    model = ready(scheme, seed)
    latent = latent_weights(model)
    copies = {name: weight.detach().clone() for name, weight in latent.items()}
    optimizer = torch.optim.SGD(model.parameters(), lr=0.125)
    for step in range(3):
        model.train()
        optimizer.zero_grad()
        functional.cross_entropy(model(images(step)), torch.tensor([0, 1, 2, 1])).backward()
        for name, weight in latent.items():
            assert torch.equal(weight, copies[name])
            assert weight.grad is not None
            copies[name].add_(weight.grad, alpha=-0.125)
        optimizer.step()
        model.eval()
        with torch.no_grad():
            model(images(step + 9))
        frozen(model)
        for name, weight in latent.items():
            assert torch.equal(weight, copies[name])


@settings(max_examples=20)
@given(schemes(), st.integers(0, 2**31))
def test_frozen_it_gives_the_same_and_all_is_on_grids(scheme: QatScheme, seed: int) -> None:
    model = ready(scheme, seed)
    model.train()
    model(images(seed + 1))
    model.eval()
    still = frozen(model)
    assert not still.training
    with torch.no_grad():
        assert torch.equal(still(images(seed + 2)), model(images(seed + 2)))
    for name, quantizer in weight_quantizers(still).items():
        layer = still.get_submodule(name)
        assert isinstance(quantizer, Grid)
        codes = layer.weight / quantizer.scale + quantizer.zero_point
        assert torch.equal(layer.weight, latent_weights(still)[name])
        assert torch.allclose(codes, codes.round(), atol=1e-3)
        assert codes.min().round() >= quantizer.low
        assert codes.max().round() <= quantizer.high
    assert all(isinstance(one, Grid) for one in activation_quantizers(still).values())
    assert not any(parameter.requires_grad for parameter in still.parameters())


def test_it_starts_from_the_weights_it_was_given_and_leaves_the_network_alone() -> None:
    network = Small(3)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    model = prepare(network, QatScheme())
    for name, weight in latent_weights(model).items():
        assert torch.equal(weight, before[f"{name}.weight"])
    assert {name: value.tolist() for name, value in network.state_dict().items()} == {
        name: value.tolist() for name, value in before.items()
    }
    assert not isinstance(network.one, type(model.get_submodule("one")))


def test_quantizers_stand_behind_image_and_relu_before_layers_and_sums() -> None:
    found = activation_quantizers(prepare(Small(0), QatScheme(activations=3)))
    assert {name: (one.low, one.high) for name, one in found.items()} == {
        "x_quantizer": (0, 255),
        "relu_quantizer": (0, 7),
        "relu_1_quantizer": (0, 7),
        "two_quantizer": (-4, 3),
        "avg_pool2d_quantizer": (0, 7),
    }


@pytest.mark.parametrize("method", ["lsq", "fixed", "flownetq-published"])
def test_a_relu_left_out_in_training_changes_no_number_and_no_gradient(method: str) -> None:
    model = prepare(nn.Sequential(nn.Linear(6, 5), nn.ReLU()), QatScheme(4, 2, method))
    x = torch.randn(50, 6, generator=torch.Generator().manual_seed(0)).abs() % 1
    calibrate(model, x)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        plain = copy.deepcopy(model)
    plain.set_submodule("1", nn.ReLU())
    results = []
    for one in (model.train(), plain.train()):
        result = one(x)
        result.square().sum().backward()
        results.append([result, *(p.grad for p in one.parameters() if p.grad is not None)])
    assert len(results[0]) == len(results[1]) > 2
    for left, right in zip(*results, strict=True):
        assert torch.equal(left, right)
    model.eval()
    assert "relu" in str(torch.export.export(frozen(model), (x,), strict=False).graph)


@pytest.mark.parametrize(
    ("make", "shape", "count"),
    [(LeNet5, (1, 28, 28), 7), (ResNet8, (3, 32, 32), 14), (UNet, (3, 32, 32), 8)],
)
def test_an_export_has_an_operator_for_each_weight_and_place(
    make: Callable[[], nn.Module], shape: tuple[int, ...], count: int
) -> None:
    model = prepare(make(), QatScheme(weights=2, activations=2))
    x = torch.rand(2, *shape)
    calibrate(model, x)
    exported = torch.export.export(frozen(model), (x,), strict=False)
    names = [str(node.target) for node in exported.graph.nodes if node.op == "call_function"]
    weights = len(weight_quantizers(model))
    assert len(activation_quantizers(model)) == count
    assert names.count("intaglio.fake_quantize.default") == weights + count
    assert not {"aten.div.Tensor", "aten.round.default", "aten.mul.Tensor"} & set(names)


def test_each_layer_gets_what_the_scheme_says() -> None:
    overrides = {"two": Override(method="ternary", weights=2), "relu": Override(activations=1)}
    scheme = QatScheme(weights=4, last=8, overrides=overrides)
    model = prepare(Small(0), scheme)
    found = {name: (one.low, one.high) for name, one in weight_quantizers(model).items()}
    assert found == {"one": (-8, 7), "two": (-1, 1), "dense": (-128, 127)}
    assert activation_quantizers(model)["relu_1_quantizer"].high == 1


@pytest.mark.parametrize(
    ("network", "scheme", "error", "text"),
    [
        (
            Small(0),
            QatScheme(overrides={"tow": Override(weights=4)}),
            QuantizationError,
            "an override must name one of one, two, dense, x, relu, avg_pool2d, not 'tow'",
        ),
        (nn.ReLU(), QatScheme(), ModelError, "the network must have a convolution or a dense .*"),
    ],
)
def test_networks_and_names_that_do_not_fit_are_refused(
    network: nn.Module, scheme: QatScheme, error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=f"^{text}$"):
        prepare(network, scheme)


def test_a_network_that_decides_by_its_numbers_is_refused() -> None:
    class Deciding(nn.Module):
        def forward(self, x: Any) -> Any:
            return x if x.sum() > 0 else -x

    text = "^Deciding must be traceable by torch.fx: symbolically traced variables"
    with pytest.raises(ModelError, match=text):
        prepare(Deciding(), QatScheme())
