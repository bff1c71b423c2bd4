# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intaglio.ir.graph import Graph
from intaglio.ops.average_pool import AveragePool
from intaglio.ops.batch_norm import BatchNorm
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.flatten import Flatten
from intaglio.ops.matmul import Matmul
from intaglio.ops.max_pool import MaxPool
from intaglio.ops.relu import Relu
from intaglio.passes import batchnorm_last, fold_batchnorm, run_passes
from tests.quantize.networks import network, normal, uniform

POOLS = [
    MaxPool((2, 2), (2, 2)),
    MaxPool((3, 3), (2, 2), (1, 1, 1, 1)),
    AveragePool((2, 2), (2, 2)),
    AveragePool((3, 3), (3, 3), (1, 1, 1, 1)),
]


def relu_first(seed: int, pool: MaxPool | AveragePool, *, negative: bool = False) -> Graph:
    """Convolve, rectify, normalize, pool; twice."""
    sign = -1.0 if negative else 1.0
    return network(
        (8, 8, 2),
        ("c1", Conv2d(padding=(1, 1, 1, 1)), "x", normal(seed, 3, 3, 3, 2), normal(seed + 1, 3)),
        ("r1", Relu(), "c1"),
        ("b1", BatchNorm(), "r1", sign * uniform(seed + 2, 3), normal(seed + 3, 3)),
        ("p1", pool, "b1"),
        ("c2", Conv2d(), "p1", normal(seed + 4, 4, 2, 2, 3), normal(seed + 5, 4)),
        ("r2", Relu(), "c2"),
        ("b2", BatchNorm(), "r2", normal(seed + 6, 4), normal(seed + 7, 4)),
        ("flat", Flatten(), "b2"),
        (
            "f3",
            Matmul(),
            "flat",
            normal(seed + 8, 5, 4 * (3 if pool.stride[0] < 3 else 2) ** 2),
            normal(seed + 9, 5),
        ),
    )


@pytest.mark.parametrize("pool", POOLS, ids=str)
@settings(max_examples=10)
@given(seed=st.integers(0, 1000), negative=st.booleans())
def test_nothing_changes_and_what_commutes_is_behind(
    pool: MaxPool | AveragePool, seed: int, negative: bool
) -> None:
    moved = run_passes(relu_first(seed, pool, negative=negative), [batchnorm_last])
    kinds = {node.name: type(node.op) for node in moved.nodes}
    exact = not (negative and isinstance(pool, MaxPool)) and not (
        any(pool.padding) and isinstance(pool, AveragePool)
    )
    assert (kinds["p1"] is BatchNorm) == exact
    assert kinds["flat"] is BatchNorm
    assert "b2" not in kinds


def test_layers_behind_pools_take_it_all() -> None:
    folded = run_passes(relu_first(3, POOLS[0]), [fold_batchnorm])
    assert not any(isinstance(node.op, BatchNorm) for node in folded.nodes)


def test_a_layer_that_pads_leaves_the_scale_behind_the_pool() -> None:
    graph = network(
        (8, 8, 2),
        ("r1", Relu(), "x"),
        ("b1", BatchNorm(), "r1", uniform(1, 2), normal(2, 2)),
        ("p1", POOLS[0], "b1"),
        ("c2", Conv2d(padding=(1, 1, 1, 1)), "p1", normal(4, 4, 3, 3, 2), np.zeros(4)),
    )
    folded = run_passes(graph, [fold_batchnorm])
    assert [node.name for node in folded.nodes] == ["r1", "b1.max_pool", "p1", "c2"]


def test_a_vector_that_no_dense_layer_reads_stays() -> None:
    graph = network(
        (2, 2, 2),
        ("b1", BatchNorm(), "x", normal(1, 2), normal(2, 2)),
        ("flat", Flatten(), "b1"),
    )
    assert batchnorm_last(graph) == graph
