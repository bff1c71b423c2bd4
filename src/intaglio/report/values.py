# SPDX-License-Identifier: Apache-2.0
"""The values that flow through the float network, against the ranges that its integers reach."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from tqdm import tqdm

from intaglio.ir.execute import BATCH, trace
from intaglio.ir.graph import Graph, Program
from intaglio.report.facts import Facts
from intaglio.report.html import Html, Section, element, join, number, percent
from intaglio.report.plots import histogram

#: Bins of a plot, or one or two more where values lie outside the range.
BINS = 60


@dataclass(frozen=True, eq=False)
class Spread:
    """How the float values of a layer are spread, and the range low..high its integers reach.

    `counts` are those of the bins between `edges`; `outside` is the part of the values that
    saturate or are not finite.
    """

    name: str
    type: str
    scale: float
    zero_point: int
    low: float
    high: float
    counts: np.ndarray
    edges: np.ndarray
    outside: float


def spreads(graph: Graph, program: Program, images: np.ndarray) -> Iterator[Spread]:
    """Yield the spread of every value that graph and program name alike, on the first images.

    Values that only repeat the one before them in another shape are left out, and so are
    accumulators: their types are as wide as their sums need, and never saturate.

    Shapes: images [N, *frame] in the source model's axis order; the first `BATCH` are used.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # found below, and counted
        values = trace(graph, {graph.inputs[0].name: graph.frames(images[:BATCH])})
    operand = {node.name: node.inputs[0] for node in graph.nodes}
    for name, array in values.items():
        how, type_ = program.quantization.get(name), program.graph.types.get(name)
        if how is None or type_ is None or len(how.scale) > 1 or type_.shape != array.shape[1:]:
            continue
        source = values.get(operand.get(name, ""))
        if source is not None and np.array_equal(source.ravel(), array.ravel()):
            continue
        ends = np.array([type_.integer.min, type_.integer.max])
        low, high = how.dequantize(ends).tolist()
        yield _spread(name, str(type_), how.scale[0], how.zero_point, (low, high), array)


def _spread(
    name: str,
    type_: str,
    scale: float,
    zero_point: int,
    reach: tuple[float, float],
    array: np.ndarray,
) -> Spread:
    real = array.ravel().astype(np.float64)
    low, high = reach
    half = scale / 2  # a value within half a step of an end is rounded to it, not saturated
    inside = (real >= low - half) & (real <= high + half)
    finite = real[np.isfinite(real)]
    bounds = finite.min(initial=low), low - half, high + half, finite.max(initial=high)
    counts, edges = np.histogram(finite, _edges(*map(float, bounds)))
    outside = float((~inside).mean())
    return Spread(name, type_, scale, zero_point, low, high, counts, edges, outside)


def _edges(smallest: float, low: float, high: float, largest: float) -> np.ndarray:
    """Return edges of about equal bins from the smallest to the largest, low and high among them.

    A bin then lies either inside or outside of low..high, never across.
    """
    ends = [min(smallest, low), low, high, max(largest, high)]
    edges = [np.array(ends[:1])]
    for start, end in pairwise(ends):
        if start < end:
            bins = max(1, round(BINS * (end - start) / (ends[-1] - ends[0])))
            edges.append(np.linspace(start, end, bins + 1)[1:])
    return np.concatenate(edges)


def values_section(facts: Facts) -> Section | None:
    """Return small plots of all values; needs images."""
    if facts.images is None:
        return None
    found = spreads(facts.graph, facts.program, facts.images)
    text = (
        f"How often each value of the float network occurs on the first "
        f"{min(len(facts.images), BATCH):,} images, on a logarithmic scale. The shaded range "
        "between the dashed lines is what the integers reach with their scale and zero point; "
        "values outside it saturate."
    )
    drawn = enumerate(tqdm(found, "plot", leave=False, delay=2))
    panels = element("div", *(_panel(n, spread) for n, spread in drawn), class_="panels")
    return Section("values", "Values and ranges", join([element("p", text), panels]))


def _panel(position: int, spread: Spread) -> Html:
    reach = f"{spread.low:.4g} to {spread.high:.4g}"
    plot = histogram(
        spread.counts,
        spread.edges,
        spread.low,
        spread.high,
        name=f"value{position}",
        description=f"Histogram of values; the integers reach {reach}",
    )
    saturated = "none saturates"
    if spread.outside:
        saturated = f"{percent(spread.outside, 3 if spread.outside < 0.01 else 1)} saturate"
    caption = element(
        "figcaption",
        element("code", spread.name),
        f" {spread.type}",
        element("br"),
        f"{reach}, {saturated}",
        element("br"),
        f"scale {spread.scale:.4g}, zero point {number(spread.zero_point)}",
    )
    return element("figure", caption, plot)
