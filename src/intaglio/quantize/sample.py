# SPDX-License-Identifier: Apache-2.0
"""Calibration frames on their way through a program that is being built, beside their floats.

What a layer reads is then known in both forms: as the float network has it, and as the integers
before the layer really give it. Rounding and biases are chosen so that the layer's results stay
near those of the float network although what it reads has changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from intaglio.ir.execute import batches, trace
from intaglio.ir.graph import Graph, Node
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.matmul import Matmul
from intaglio.quantize.build import Build

#: Frames that are followed at most: more change accuracies no more.
FRAMES = 1024
#: Elements of all values of the frames followed, which bounds memory to some 2 GiB.
ELEMENTS = 1 << 28
#: Frames at once.
_BATCH = 32
#: Elements of what outputs are products of, at once: 256 MiB of floats.
_COLUMNS = 1 << 26
#: Products of a layer that its statistics are made from, for each weight of an output.
ROWS = 32
#: And at least so many.
FEWEST_ROWS = 1 << 14


@dataclass(frozen=True, eq=False)
class Moments:
    """What a layer reads, by group of channels: means, and mean products about `center`.

    `gram` is that of the integers with themselves, `cross` of the floats with the integers; both
    about the means where `centered`, about zero otherwise.

    Shapes: real and whole [G, n], gram and cross [G, n, n].
    """

    real: np.ndarray
    whole: np.ndarray
    gram: np.ndarray
    cross: np.ndarray
    centered: bool


class Sample:
    """The values of some frames, as far as they are still to be read."""

    def __init__(self, graph: Graph, frames: np.ndarray) -> None:
        total = sum(graph.types[node.name].size for node in graph.nodes) or 1
        frames = frames[: max(32, min(FRAMES, ELEMENTS // total))]
        self._frames = frames
        self._codes: dict[str, np.ndarray] = {}
        self._followed = 0
        read = {node.inputs[0] for node in graph.nodes if isinstance(node.op, Conv2d | Matmul)}
        parts: dict[str, list[np.ndarray]] = {name: [] for name in read}
        for part in batches(len(frames), _BATCH):
            values = trace(graph, {graph.inputs[0].name: frames[part]})
            for name in read:
                parts[name].append(values[name])
        self._real = {name: np.concatenate(found) for name, found in parts.items()}

    def moments(self, build: Build, node: Node, *, centered: bool) -> Moments:
        """Return the moments of what a layer reads."""
        self._follow(build)
        groups = _groups(node)
        size = build.graph.constants[node.inputs[1]].data[0].size
        sums = [np.zeros((groups, *[size] * axes)) for axes in (1, 1, 2, 2)]
        count = 0
        for real, whole in self._columns(build, node):
            sums[0] += real.sum(axis=1, dtype=np.float64)
            sums[1] += whole.sum(axis=1, dtype=np.float64)
            sums[2] += whole.transpose(0, 2, 1) @ whole
            sums[3] += real.transpose(0, 2, 1) @ whole
            count += real.shape[1]
        means, whole_means, gram, cross = (total / count for total in sums)
        if centered:
            gram = gram - whole_means[:, :, None] * whole_means[:, None, :]
            cross = cross - means[:, :, None] * whole_means[:, None, :]
        return Moments(means, whole_means, gram, cross, centered)

    def _columns(self, build: Build, node: Node) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield what outputs are products of, as floats and as integers, evenly thinned out."""
        x = node.inputs[0]
        coding, shape = build.codings[x], build.graph.constants[node.inputs[1]].data.shape
        places = build.graph.types[node.name].size // shape[0]
        rows = max(FEWEST_ROWS, ROWS * int(np.prod(shape[1:])))
        every = max(1, places * len(self._frames) // rows)
        size = places * int(np.prod(shape[1:])) * _groups(node)
        for part in batches(len(self._frames), max(1, min(_BATCH, _COLUMNS // size))):
            whole = coding.quantization.dequantize(self._codes[x][part]).astype(np.float32)
            pair = (_columns(node, a, shape)[:, ::every] for a in (self._real[x][part], whole))
            yield next(pair), next(pair)

    def _follow(self, build: Build) -> None:
        """Evaluate the nodes added since, and forget what no layer to come reads."""
        graph, value = build.graph, build.graph.inputs[0]
        if not self._followed:
            coding = build.codings[value.name]
            frames = self._frames.astype(np.float64)
            steps = np.floor(frames / coding.scale + 0.5) + coding.zero_point
            codes = np.clip(steps, coding.element.min, coding.element.max)
            self._codes[value.name] = codes.astype(coding.element.dtype)
        for node in build.nodes[self._followed :]:
            found = []
            for part in batches(len(self._frames), _BATCH):
                arrays = (
                    build.constants[name].data
                    if name in build.constants
                    else self._codes[name][part]
                    for name in node.inputs
                )
                found.append(node.op.evaluate(*arrays))
            dtype = build.types[node.name].element.dtype
            self._codes[node.name] = np.concatenate(found).astype(dtype, copy=False)
        self._followed = len(build.nodes)
        for name in list(self._codes):
            readers = graph.consumers.get(name, ())
            if all(reader.name in build.done for reader in readers):
                del self._codes[name]


def _groups(node: Node) -> int:
    return node.op.groups if isinstance(node.op, Conv2d) else 1


def _columns(node: Node, x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return what each output of a layer is a product of. Shapes: result [G, rows, n]."""
    if isinstance(node.op, Conv2d):
        return node.op.columns(x, (shape[1], shape[2]))
    return x[None]
