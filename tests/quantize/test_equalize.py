# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intaglio.ir.execute import run, trace
from intaglio.ir.graph import Graph
from intaglio.ops.average_pool import AveragePool
from intaglio.ops.clip import Clip
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.flatten import Flatten
from intaglio.ops.matmul import Matmul
from intaglio.ops.max_pool import MaxPool
from intaglio.ops.relu import Relu
from intaglio.quantize.accuracy import evaluate
from intaglio.quantize.equalize import LIMITS, equalize
from intaglio.quantize.program import quantize
from intaglio.quantize.scheme import Scheme
from tests.quantize.networks import network, normal, uniform

SPREAD = np.array([1.0, 0.01, 30.0, 0.3]).reshape(4, 1, 1, 1)


def uneven(seed: int) -> Graph:
    """Channels of very different size, whose readers make up for it."""
    depthwise, groups = Conv2d(padding=(1, 1, 1, 1), groups=4), Conv2d(groups=2)
    first = normal(seed, 4, 3, 3, 2) * SPREAD.astype(np.float32)
    return network(
        (8, 8, 2),
        ("c1", Conv2d(), "x", first, normal(seed + 1, 4)),
        ("r1", Relu(), "c1"),
        ("d2", depthwise, "r1", normal(seed + 2, 4, 3, 3, 1) / SPREAD, normal(seed + 3, 4)),
        ("m2", MaxPool((2, 2), (2, 2)), "d2"),
        ("g3", groups, "m2", normal(seed + 4, 6, 1, 1, 2), normal(seed + 5, 6)),
        ("r3", Relu(), "g3"),
        ("a3", AveragePool((3, 3), (1, 1)), "r3"),
        ("flat", Flatten(), "a3"),
        ("f4", Matmul(), "flat", normal(seed + 6, 5, 6), normal(seed + 7, 5)),
    )


def flattened(seed: int) -> Graph:
    return network(
        (4, 4, 2),
        ("c1", Conv2d(), "x", normal(seed, 3, 1, 1, 2), normal(seed + 1, 3)),
        ("flat", Flatten(), "c1"),
        ("f2", Matmul(), "flat", normal(seed + 2, 5, 48), normal(seed + 3, 5)),
    )


@settings(max_examples=15)
@given(st.integers(0, 1000))
def test_results_stay_and_every_value_is_larger_by_its_factors(seed: int) -> None:
    for graph in (uneven(seed), flattened(seed)):
        found = equalize(graph)
        images = normal(seed + 9, 3, *graph.inputs[0].type.shape)
        before, after = trace(graph, {"x": images}), trace(found.graph, {"x": images})
        assert graph.outputs[0] not in found.factors
        for name in before:
            wanted = before[name] * found.factors.get(name, 1.0)
            scale = np.abs(wanted).max() + 1e-3
            assert after[name] / scale == pytest.approx(wanted / scale, abs=1e-4)


def test_both_layers_get_the_same_range_in_every_channel() -> None:
    found = equalize(flattened(3))
    head = np.abs(found.graph.constants["c1.weight"].data).reshape(3, -1).max(axis=1)
    tail = np.abs(found.graph.constants["f2.weight"].data).reshape(5, 16, 3).max(axis=(0, 1))
    inside = (found.factors["c1"] > LIMITS[0]) & (found.factors["c1"] < LIMITS[1])
    assert inside.any()
    assert head[inside] == pytest.approx(tail[inside])


def test_what_does_not_scale_or_is_read_twice_stays() -> None:
    weight, bias = normal(1, 2, 2), normal(2, 2)
    graph = network(
        (2,),
        ("f1", Matmul(), "x", weight, bias),
        ("k1", Clip(0.0, 6.0), "f1"),
        ("f2", Matmul(), "k1", weight, bias),
        ("f3", Matmul(), "f2", weight, bias),
        outputs=("f3", "f2"),
    )
    assert not equalize(graph).factors


def test_small_weights_and_zeros_stay() -> None:
    graph = network(
        (2,),
        ("f1", Matmul(), "x", np.array([[0.01, 0.0], [0.0, 0.0]]), np.zeros(2)),
        ("f2", Matmul(), "f1", np.array([[0.001, 5.0]]), np.zeros(1)),
    )
    assert equalize(graph).factors["f1"].tolist() == [1.0, 1.0]


def test_a_program_keeps_the_meaning_of_the_float_network() -> None:
    """Values that are larger by channel have a scale a channel; one scale of weights is enough."""
    graph, images = uneven(5), uniform(6, 50, 8, 8, 2)
    plain = Scheme(granularity="per_tensor")
    errors = []
    for scheme in (plain, replace(plain, equalize=True)):
        program = quantize(graph, images, scheme)
        found = evaluate(graph, program, images)
        errors.append({layer.name: layer.sqnr_db for layer in found.layers})
        assert np.abs(run(graph, images)).max() > 0
    assert set(errors[0]) == set(errors[1])
    assert errors[1]["f4"] > errors[0]["f4"] + 3
    assert errors[1]["r1"] > 20
