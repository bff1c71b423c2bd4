# SPDX-License-Identifier: Apache-2.0
"""torch modules, straight and through both of torch's ONNX exporters."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from intaglio.errors import ModelError, VerificationError
from intaglio.frontend import load, torch_export
from intaglio.frontend.layers import windows
from intaglio.frontend.torch_export import load_torch
from intaglio.ir.execute import run
from intaglio.ir.graph import Graph
from intaglio.passes import fold_batchnorm, run_passes


class Small(nn.Module):
    """A bit of everything that a small network has."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(2, 4, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(4)
        self.act = nn.ReLU(inplace=True)
        self.same = nn.Conv2d(4, 4, 3, padding="same")
        self.six = nn.ReLU6()
        self.pool = nn.MaxPool2d(2)
        self.drop = nn.Dropout(0.5)
        self.dense = nn.Linear(4 * 4 * 3, 6)
        nn.init.uniform_(self.norm.running_mean)
        nn.init.uniform_(self.norm.running_var, 0.5, 1.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.act(self.norm(self.conv(x)))
        x = self.six(self.same(x) + x)
        x = self.pool(x)
        return self.dense(self.drop(x.view(x.size(0), -1)))


EXAMPLE = (2, 2, 8, 6)


def _scores(graph: Graph, module: nn.Module, shape: tuple[int, ...] = EXAMPLE) -> None:
    """Check a graph against the module itself, on other data than the import does."""
    x = np.random.default_rng(5).standard_normal((3, *shape[1:])).astype(np.float32)
    with torch.no_grad():
        expected = module.eval()(torch.from_numpy(x)).numpy()
    found = run(graph, x)
    if graph.channels_first and found.ndim == 4:
        expected = np.moveaxis(expected, 1, 3)
    np.testing.assert_allclose(found.ravel(), expected.ravel(), rtol=1e-4, atol=1e-5)


def test_a_module_is_read_with_the_names_of_its_layers() -> None:
    module = Small()
    graph = load(module, example=torch.zeros(EXAMPLE))
    names = [node.name for node in graph.nodes]
    assert names[:7] == ["conv", "norm", "act", "same", "add", "six", "pool"]
    assert names[8:] == ["dense"]
    assert graph.channels_first
    _scores(graph, module)
    _scores(run_passes(graph, [fold_batchnorm]), module)


def test_the_module_is_left_as_it_was() -> None:
    module = Small().train()
    module.pool.eval()
    before = {key: value.clone() for key, value in module.state_dict().items()}
    load_torch(module, torch.zeros(EXAMPLE))
    assert module.training
    assert module.drop.training
    assert not module.pool.training
    assert all(torch.equal(before[key], value) for key, value in module.state_dict().items())


@pytest.mark.parametrize("dynamo", [False, True])
def test_both_exporters_give_the_same_graph(tmp_path: Path, *, dynamo: bool) -> None:
    module, path = Small().eval(), tmp_path / "m.onnx"
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    batch: dict[str, object] = {"dynamic_axes": {"x": {0: "batch"}}, "input_names": ["x"]}
    if dynamo:
        batch = {"dynamic_shapes": ({0: torch.export.Dim("batch")},), "verbose": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module, (torch.zeros(EXAMPLE),), path, dynamo=dynamo, **batch)
    found, own = (
        run_passes(load(source, example=torch.zeros(EXAMPLE)), [fold_batchnorm])
        for source in (path, module)
    )
    assert [(n.op, found.types[n.name]) for n in found.nodes] == [
        (n.op, own.types[n.name]) for n in own.nodes
    ]
    _scores(found, module)


class Function(nn.Module):
    """One function as a module."""

    def __init__(self, function: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x)


W = torch.linspace(-1, 1, 2 * 8 * 6 * 3).reshape(96, 3)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: F.adaptive_avg_pool2d(x, 1).flatten(1),
        lambda x: F.adaptive_avg_pool2d(x, (4, 3)).relu(),
        lambda x: x.mean((2, 3)),
        lambda x: x.mean(-1).mean(-1),
        lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False),
        lambda x: F.max_pool2d(x, 3, 2, ceil_mode=True),
        lambda x: F.pad(x, (1, 2, 0, 1)),
        lambda x: x.flatten(1) @ W,
        lambda x: torch.addmm(torch.ones(3), x.reshape(x.shape[0], -1), W),
        lambda x: F.linear(x.flatten(1), W.t(), torch.ones(3)),
        lambda x: (1 - x * 2 + 3) / 4 - 0.5,
        lambda x: 2 - x,
        lambda x: x + 0.25 * torch.ones(2, 1, 1),
        lambda x: torch.clamp(x, -0.5, 0.5),
        lambda x: x.clamp(min=0.1) + x.clamp(max=0.2) + F.hardtanh(x) + F.relu6(x),
        lambda x: F.dropout(x, training=False) + x.contiguous().clone(),
        lambda x: x.permute(0, 2, 3, 1).relu().permute(0, 3, 1, 2),
        lambda x: F.adaptive_avg_pool2d(x, 1).squeeze(-1).squeeze(-1) @ W[:2],
        lambda x: x.mean((2, 3)).unsqueeze(-1).unsqueeze(-1).flatten(1),
        lambda x: (x.flatten(1) @ W).argmax(1),
        lambda x: F.conv2d(x, W.flatten()[:36].reshape(2, 2, 3, 3), stride=2, padding=(1, 0)),
    ],
)
def test_operators_mean_what_torch_says(function: Callable[[torch.Tensor], torch.Tensor]) -> None:
    module = Function(function)
    graph = load_torch(module, torch.zeros(EXAMPLE))
    _scores(graph, module)


@pytest.mark.parametrize(
    ("module", "text"),
    [
        (
            nn.Sequential(nn.Upsample(scale_factor=1.5), nn.LocalResponseNorm(2)),
            "Sequential: aten.upsample_nearest2d 'upsample_nearest2d': pixels must be repeated a "
            "whole number of times, not 8x6 to 12x9 (nearest: Resize by a whole factor, nearest)",
        ),
        (
            nn.Sequential(nn.Upsample(scale_factor=3.0, mode="bilinear")),
            "Sequential: aten.upsample_bilinear2d 'upsample_bilinear2d': bilinear interpolation "
            "must be to twice the size, not 8x6 to 24x18 by 3 and 3 "
            "(nearest: Resize by 2, one after another)",
        ),
        (
            nn.Sequential(nn.AdaptiveAvgPool2d(5)),
            "Sequential: aten.adaptive_avg_pool2d 'adaptive_avg_pool2d': its output size must "
            "divide [8, 6], not be [5, 5] (nearest: AvgPool2d)",
        ),
    ],
)
def test_what_is_not_exact_is_refused(module: nn.Module, text: str) -> None:
    with pytest.raises(ModelError) as caught:
        load_torch(module, torch.zeros(EXAMPLE))
    assert str(caught.value) == text


def test_weights_that_are_not_numbers_are_refused() -> None:
    module = nn.Sequential(nn.Linear(3, 2))
    with torch.no_grad():
        module[0].weight[1, 1] = torch.nan
    with pytest.raises(ModelError, match="argument weight must be finite, not NaN"):
        load_torch(module, torch.zeros(1, 3))


def test_a_module_that_branches_on_data_is_refused() -> None:
    with pytest.raises(ModelError, match=r"Function must be exportable by torch\.export: "):
        load_torch(Function(lambda x: x if x.sum() > 0 else -x), torch.zeros(EXAMPLE))


def test_the_example_must_be_a_float_batch() -> None:
    with pytest.raises(ModelError, match="must come with an example input"):
        load(Small())
    with pytest.raises(ModelError, match=r"batch .* of 32-bit floats, not torch.int64 \[2\]"):
        load(Small(), example=torch.tensor([1, 2]))


def test_a_graph_passes_through() -> None:
    graph = load(nn.Sequential(nn.ReLU()), example=torch.zeros(EXAMPLE))
    assert load(graph) is graph


def test_a_wrong_reading_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(torch_export.OPERATORS, "aten.max_pool2d", _wrong_pool)
    with pytest.raises(VerificationError, match=r"but average_pool 'pool' \(max_pool2d\) must be"):
        load_torch(Small(), torch.zeros(EXAMPLE))


def _wrong_pool(call: torch_export.Call) -> object:
    return windows.average_pool(
        call.builder, call.activation(), (2, 2), (2, 2), (0, 0, 0, 0), call.site, count_padding=True
    )
