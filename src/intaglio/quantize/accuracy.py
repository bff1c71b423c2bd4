# SPDX-License-Identifier: Apache-2.0
"""Float against integers on the same data: the task's accuracy, and the error of every layer."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from tqdm import tqdm

from intaglio.engine import engine
from intaglio.errors import QuantizationError
from intaglio.ir.execute import BATCH, batches, trace
from intaglio.ir.graph import Graph, Program
from intaglio.ir.types import Quantization, TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.argmax import Argmax

#: Images listed in `Evaluation.worst`.
WORST = 10
#: Classes of `Evaluation.confusion`, at most: more than can be taken in at a glance.
CONFUSED = 30


@dataclass(frozen=True)
class LayerError:
    """How far the integers of one value are from the floats.

    `name` is the float value's, `type` that of the integers that stand for it, `scale` their
    largest. Errors are in real units. `sqnr_db` is 10 log10(sum float^2 / sum error^2), None where
    either sum is zero. `saturated` is the part of codes at the ends of the type, but for the end
    that means zero.
    """

    name: str
    type: str
    scale: float
    zero_point: int
    mean_error: float
    max_error: float
    sqnr_db: float | None
    saturated: float


@dataclass(frozen=True)
class WorstImage:
    """An image on which the integers are near to another answer than the floats, or past it.

    `margin` is the integer score of the float's class over the best other one, in real units:
    negative where the prediction changed.
    """

    index: int
    margin: float
    float_prediction: int
    integer_prediction: int
    label: int | None


@dataclass(frozen=True)
class Evaluation:
    """What quantisation costs; accuracies are fractions, None without labels or classes.

    `confusion` counts the integer program's answers: a row a label, a column an answer. None also
    where there are more than `CONFUSED` classes, or a label that no score stands for.
    """

    count: int
    float_accuracy: float | None
    integer_accuracy: float | None
    agreement: float | None
    layers: tuple[LayerError, ...]
    worst: tuple[WorstImage, ...]
    confusion: tuple[tuple[int, ...], ...] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the same as JSON types."""
        return asdict(self)

    def __str__(self) -> str:
        """Print an aligned table of layers below the accuracies."""
        head = [
            f"{self.count} images",
            f"float accuracy    {_percent(self.float_accuracy)}",
            f"integer accuracy  {_percent(self.integer_accuracy)}",
            f"same prediction   {_percent(self.agreement)}",
            "",
        ]
        rows = [
            ("value", "type", "scale", "zero", "mean error", "max error", "SQNR dB", "saturated")
        ]
        for layer in self.layers:
            ratio = "-" if layer.sqnr_db is None else f"{layer.sqnr_db:.1f}"
            rows.append(
                (
                    layer.name,
                    layer.type,
                    f"{layer.scale:.4g}",
                    str(layer.zero_point),
                    f"{layer.mean_error:.4g}",
                    f"{layer.max_error:.4g}",
                    ratio,
                    f"{layer.saturated:.3%}",
                )
            )
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join(head + [_aligned(row, widths) for row in rows])


def evaluate(
    graph: Graph, program: Program, images: np.ndarray, labels: np.ndarray | None = None
) -> Evaluation:
    """Run both on real data and compare every value that they name alike.

    Shapes: images [N, *frame] in the source model's axis order, labels [N] class numbers.

    Raises:
        ModelError: the images have another shape than the graph's input.
        QuantizationError: there are no images, or not one label for each.
    """
    frames = graph.frames(images)
    if len(frames) == 0:
        raise QuantizationError("evaluation data must hold at least one frame, not 0")
    labels = _labels(labels, len(frames))
    codes = program.quantize_input(images)
    names = _pairs(graph, program)
    sums = {name: _Sums() for name in names}
    found: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    ends = scores(graph), scores(program.graph)
    integers = engine(program, (*names.values(), ends[1]))
    parts = list(batches(len(frames)))
    for part in tqdm(parts, "evaluate", leave=False, delay=2, unit=f"x{BATCH} frames"):
        real = trace(graph, {graph.inputs[0].name: frames[part]})
        whole = integers.trace(codes[part])
        for name, twin in names.items():
            element = program.graph.types[twin].integer
            sums[name].add(real[name], whole[twin], program.quantization[twin], element)
        found[0].append(real[ends[0]])
        found[1].append(_real(program, ends[1], whole[ends[1]]))
    layers = tuple(
        sums[name].layer(name, program.graph.types[twin], program.quantization[twin])
        for name, twin in names.items()
    )
    return _judge(np.concatenate(found[0]), np.concatenate(found[1]), labels, layers)


def _pairs(graph: Graph, program: Program) -> dict[str, str]:
    """Find for each float value the integers that mean the same: its namesake, or `<name>.acc`."""
    found = {}
    for name in [value.name for value in graph.inputs] + [node.name for node in graph.nodes]:
        for twin in (name, f"{name}.acc"):
            if twin in program.quantization and graph.types[name].shape == (
                program.graph.types[twin].shape
            ):
                found[name] = twin
                break
    return found


def scores(graph: Graph) -> str:
    """Name the value whose largest element is the answer."""
    name = graph.outputs[0]
    node = graph.producers.get(name)
    return node.inputs[0] if node is not None and isinstance(node.op, Argmax) else name


def _real(program: Program, name: str, codes: np.ndarray) -> np.ndarray:
    return program.quantization[name].dequantize(codes)


def _labels(labels: np.ndarray | None, count: int) -> np.ndarray | None:
    if labels is None:
        return None
    labels = np.asarray(labels)
    if labels.shape != (count,) or labels.dtype.kind not in "iu":
        raise QuantizationError(
            f"labels must be one integer for each of {count} images, "
            f"not {labels.dtype} of shape {labels.shape}"
        )
    return labels


@dataclass
class _Sums:
    """What one layer's row is made from, batch by batch."""

    count: int = 0
    error: float = 0.0
    largest: float = 0.0
    signal: float = 0.0
    noise: float = 0.0
    saturated: int = 0

    def add(self, real: np.ndarray, codes: np.ndarray, how: Quantization, element: IntType) -> None:
        wanted = real.astype(np.float64)
        error = np.abs(how.dequantize(codes) - wanted)
        self.count += error.size
        self.error += float(error.sum())
        self.largest = max(self.largest, float(error.max()))
        self.signal += float((wanted * wanted).sum())
        self.noise += float((error * error).sum())
        for end in (element.min, element.max):
            if end != how.zero_point:
                self.saturated += int((codes == end).sum())

    def layer(self, name: str, type_: TensorType, how: Quantization) -> LayerError:
        ratio = 10 * math.log10(self.signal / self.noise) if self.signal and self.noise else None
        return LayerError(
            name=name,
            type=str(type_),
            scale=max(how.scale),
            zero_point=how.zero_point,
            mean_error=self.error / self.count,
            max_error=self.largest,
            sqnr_db=ratio,
            saturated=self.saturated / self.count,
        )


def _judge(
    real: np.ndarray,
    whole: np.ndarray,
    labels: np.ndarray | None,
    layers: tuple[LayerError, ...],
) -> Evaluation:
    """Turn scores into predictions, where the output is a vector of several."""
    count = len(real)
    if real.ndim != 2 or real.shape[1] < 2:
        return Evaluation(count, None, None, None, layers, ())
    wanted, found = real.argmax(axis=1), whole.argmax(axis=1)
    frame = np.arange(count)
    own, others = whole[frame, wanted], whole.copy()
    others[frame, wanted] = -np.inf
    margins = own - others.max(axis=1)
    worst = tuple(
        WorstImage(
            int(i),
            float(margins[i]),
            int(wanted[i]),
            int(found[i]),
            None if labels is None else int(labels[i]),
        )
        for i in np.argsort(margins, kind="stable")[:WORST]
    )
    return Evaluation(
        count=count,
        float_accuracy=None if labels is None else float((wanted == labels).mean()),
        integer_accuracy=None if labels is None else float((found == labels).mean()),
        agreement=float((wanted == found).mean()),
        layers=layers,
        worst=worst,
        confusion=None if labels is None else _confusion(labels, found, whole.shape[1]),
    )


def _confusion(
    labels: np.ndarray, found: np.ndarray, classes: int
) -> tuple[tuple[int, ...], ...] | None:
    """Count answers by label, where every label is a class and there are not too many."""
    if classes > CONFUSED or labels.min() < 0 or labels.max() >= classes:
        return None
    counts = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(counts, (labels.astype(np.int64), found), 1)
    return tuple(tuple(row) for row in counts.tolist())


def _percent(fraction: float | None) -> str:
    return "-" if fraction is None else f"{fraction:.2%}"


def _aligned(row: tuple[str, ...], widths: list[int]) -> str:
    cells = [
        cell.ljust(width) if column < 2 else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()
