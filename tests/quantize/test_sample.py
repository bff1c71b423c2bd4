# SPDX-License-Identifier: Apache-2.0
"""What a layer reads is known exactly as the finished program gives it, and as the floats do."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intaglio.ir.execute import trace
from intaglio.ir.graph import Node
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.matmul import Matmul
from intaglio.quantize.build import Build
from intaglio.quantize.sample import Moments, Sample
from intaglio.quantize.scheme import Scheme
from tests.quantize.networks import normal, separable, small

# The module itself: `intaglio.quantize` as an attribute is the function of that name.
program_module = import_module("intaglio.quantize.program")
sample_module = import_module("intaglio.quantize.sample")


@settings(max_examples=10)
@given(seed=st.integers(0, 1000), centered=st.booleans())
def test_moments_are_those_of_the_programs_own_values(seed: int, centered: bool) -> None:
    seen: dict[str, Moments] = {}
    moments = Sample.moments

    def noted(self: Sample, build: Build, node: Node, *, centered: bool) -> Moments:
        seen[node.name] = moments(self, build, node, centered=centered)
        return seen[node.name]

    scheme = Scheme("s3", "u4", rounding="adaround", correct_bias=centered)
    for graph in (small(seed), separable(seed)):
        images = normal(seed + 9, 70, 6, 6, 2)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Sample, "moments", noted)
            program = program_module.quantize(graph, images, scheme)
        real = trace(graph, {"x": images})
        codes = trace(program.graph, {"x": program.quantize_input(images)})
        for node in graph.nodes:
            if not isinstance(node.op, Conv2d | Matmul):
                continue
            x, shape = node.inputs[0], graph.constants[node.inputs[1]].data.shape
            whole = program.quantization[x].dequantize(codes[x])
            pair = [columns(node, array, shape) for array in (real[x].astype(np.float64), whole)]
            found = seen[node.name]
            assert found.real == pytest.approx(pair[0].mean(axis=1), rel=1e-5, abs=1e-5)
            assert found.whole == pytest.approx(pair[1].mean(axis=1), rel=1e-5, abs=1e-5)
            # Products are made in float32, and relative to those about zero.
            slack = 1e-5 * max(float((array**2).mean(axis=1).max()) for array in pair)
            if centered:
                pair = [array - array.mean(axis=1, keepdims=True) for array in pair]
            for products, other in ((found.gram, pair[1]), (found.cross, pair[0])):
                exact = other.transpose(0, 2, 1) @ pair[1] / other.shape[1]
                assert products == pytest.approx(exact, abs=slack)
        seen.clear()


def columns(node: Node, x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return node.op.columns(x, shape[1:3]) if isinstance(node.op, Conv2d) else x[None]


def test_values_are_thinned_out_evenly_and_memory_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sample_module, "FEWEST_ROWS", 10)
    monkeypatch.setattr(sample_module, "ROWS", 1)
    counts: list[int] = []
    inner = Sample._columns

    def counted(self: Sample, build: Build, node: Node) -> Any:
        for pair in inner(self, build, node):
            counts.append(pair[0].shape[1])
            yield pair

    monkeypatch.setattr(Sample, "_columns", counted)
    images = normal(1, 64, 6, 6, 2)
    program_module.quantize(small(), images, Scheme("s3", rounding="gptq"))
    assert sum(counts) < 200  # of 64 * 36 places of c1, and 64 of f3
