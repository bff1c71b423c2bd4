# SPDX-License-Identifier: Apache-2.0
"""Accuracy against bits: whole networks at every width, single places, and the best mixture.

Every measurement quantises anew and runs the integers. It is kept under a hash of network, data and
scheme, so a sweep that was stopped goes on where it was.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from tqdm import tqdm

from intaglio.artifact import canonical, content_hash, version
from intaglio.engine import engine
from intaglio.errors import IntaglioError, QuantizationError
from intaglio.ir.execute import batches, trace
from intaglio.ir.graph import Graph, Program
from intaglio.ir.text import to_text
from intaglio.quantize.accuracy import scores
from intaglio.quantize.cost import BUDGETS, INTERVAL, Cost
from intaglio.quantize.knapsack import Option, choose
from intaglio.quantize.ledger import Ledger
from intaglio.quantize.places import Place, cost, places, with_bits
from intaglio.quantize.program import prepared, quantize
from intaglio.quantize.scheme import Scheme
from intaglio.quantize.scheme_file import to_document

#: Makes the program of a network, calibration data and a scheme.
Make = Callable[[Graph, np.ndarray, Scheme], Program]
#: What measurements are kept under where nothing else made the programs.
POST_TRAINING = "post-training"
#: Bits of everything but the place whose sensitivity is measured.
FINE = 8
#: What is lost where integers are exact, in decibels: more than any width here reaches.
EXACT_DB = 150.0


@dataclass(frozen=True)
class Measured:
    """What a scheme reaches, by the integers of its program.

    `accuracy` is a fraction, None without labels; `agreement` the part of frames with the float
    network's answer, None where there are no classes. `sqnr_db` compares the results' numbers.
    """

    accuracy: float | None
    agreement: float | None
    sqnr_db: float | None


@dataclass(frozen=True)
class Point:
    """A scheme of so many bits, what it costs, and what it reaches."""

    weights: int
    activations: int
    scheme: Scheme
    cost: Cost
    measured: Measured

    def row(self) -> dict[str, Any]:
        """Return the figures, as JSON types."""
        bits = {"weights": self.weights, "activations": self.activations}
        return {**bits, **asdict(self.measured), **asdict(self.cost)}


@dataclass(frozen=True)
class Sensitivity:
    """What the network reaches when weights or activations of one place alone have few bits."""

    place: Place
    kind: str
    bits: int
    measured: Measured

    def row(self) -> dict[str, Any]:
        """Return the figures, as JSON types."""
        layer = ", ".join(self.place.layers) if self.kind == "weights" else self.place.value
        return {"place": layer, "kind": self.kind, "bits": self.bits, **asdict(self.measured)}


@dataclass(frozen=True)
class Mixture:
    """The scheme chosen within a budget: its bits by place, what was foretold, what it reaches."""

    point: Point
    bits: Mapping[str, tuple[int, int]]
    foretold_db: float

    def to_json(self) -> dict[str, Any]:
        """Return the figures, and the scheme as text."""
        bits = {v: {"weights": w, "activations": a} for v, (w, a) in self.bits.items()}
        return {**self.row(), "bits": bits, "scheme": str(self.point.scheme)}

    def row(self) -> dict[str, Any]:
        """Return the figures, bits as a text: of the weights that read a value, and of its own."""
        bits = " ".join(f"{value}:{w},{a}" for value, (w, a) in self.bits.items())
        reached = {**asdict(self.point.measured), **asdict(self.point.cost)}
        return {"bits": bits, "foretold_db": self.foretold_db, **reached}


@dataclass(frozen=True, eq=False)
class Study:
    """A network and its data; measurements of it are kept in a ledger.

    `make` turns a scheme into a program, under the name `method`: another way than quantising after
    training is plugged in here.

    Shapes: calibration and images [N, *frame] in the source model's axis order, labels [N].

    Raises:
        QuantizationError: there are no images, or not one label for each.
    """

    graph: Graph
    calibration: np.ndarray
    images: np.ndarray
    labels: np.ndarray | None
    ledger: Ledger
    interval: int = INTERVAL
    method: str = POST_TRAINING
    make: Make = quantize

    def __post_init__(self) -> None:
        if len(self.images) == 0:
            raise QuantizationError("evaluation data must hold at least one frame, not 0")
        if self.labels is not None and self.labels.shape != (len(self.images),):
            raise QuantizationError(
                f"labels must be one for each of {len(self.images)} images, "
                f"not of shape {self.labels.shape}"
            )

    @cached_property
    def _digest(self) -> str:
        arrays = {"calibration": self.calibration, "images": self.images}
        if self.labels is not None:
            arrays["labels"] = self.labels
        constants = {f"constant {n}": c.data for n, c in self.graph.constants.items()}
        text = to_text(self.graph, constants=False)
        document = {"graph": text, "intaglio": version(), "method": self.method}
        return content_hash("study", document, arrays | constants)

    @cached_property
    def network(self) -> Graph:
        """The float network in the form that is quantised."""
        return prepared(self.graph)

    @cached_property
    def _real(self) -> np.ndarray:
        """The float network's results."""
        frames, name = self.graph.frames(self.images), scores(self.graph)
        value = self.graph.inputs[0].name
        return np.concatenate(
            [trace(self.graph, {value: frames[part]})[name] for part in batches(len(frames))]
        )

    @property
    def float_accuracy(self) -> float | None:
        """The part of frames that the float network is right about."""
        if self.labels is None or self._real.ndim != 2:
            return None
        return float((self._real.argmax(axis=1) == self.labels).mean())

    def measure(self, scheme: Scheme) -> Measured:
        """Return what a scheme reaches, from the ledger if it is there."""
        text = f"{self._digest} {canonical(to_document(scheme))}"
        key = hashlib.sha256(text.encode()).hexdigest()
        found = self.ledger.get(key)
        if found is None:
            found = asdict(self._measured(self.make(self.graph, self.calibration, scheme)))
            self.ledger.put(key, found)
        return Measured(**found)

    def point(self, weights: int, activations: int, scheme: Scheme) -> Point:
        """Measure a scheme and what it costs."""
        total = cost(self.network, scheme, self.interval)
        return Point(weights, activations, scheme, total, self.measure(scheme))

    def _measured(self, program: Program) -> Measured:
        name = scores(program.graph)
        integers, codes = engine(program, (name,)), program.quantize_input(self.images)
        how = program.quantization[name]
        whole = np.concatenate(
            [how.dequantize(integers.trace(codes[part])[name]) for part in batches(len(codes))]
        )
        real = self._real.astype(np.float64)
        noise, signal = float(((whole - real) ** 2).sum()), float((real**2).sum())
        ratio = 10 * math.log10(signal / noise) if noise and signal else None
        if real.ndim != 2 or real.shape[1] < 2:
            return Measured(None, None, ratio)
        answers = whole.argmax(axis=1)
        right = None if self.labels is None else float((answers == self.labels).mean())
        return Measured(right, float((answers == real.argmax(axis=1)).mean()), ratio)


def measure_all(
    study: Study, scheme: Scheme, pairs: Iterable[tuple[int, int]], *, progress: bool = True
) -> list[Point]:
    """Measure a scheme at widths of weights and activations."""
    listed = list(pairs)
    found = []
    for weights, activations in tqdm(listed, "sweep", unit="scheme", disable=not progress):
        try:
            other = with_bits(scheme, weights, activations)
            found.append(study.point(weights, activations, other))
        except IntaglioError as error:
            text = f"{weights}-bit weights and {activations}-bit activations: {error}"
            raise QuantizationError(text) from None
    return found


def sensitivities(
    study: Study,
    scheme: Scheme,
    weights: Sequence[int],
    activations: Sequence[int],
    *,
    progress: bool = True,
) -> list[Sensitivity]:
    """Measure each place with few bits, alone; all else has 8."""
    fine = with_bits(scheme, FINE, FINE)
    wanted = [
        (place, kind, bits)
        for place in places(study.network)
        for kind, widths in (("weights", weights), ("activations", activations))
        for bits in widths
    ]
    found = []
    for place, kind, bits in tqdm(wanted, "layers", unit="scheme", disable=not progress):
        pair = (bits, FINE) if kind == "weights" else (FINE, bits)
        one = replace(fine, layers=(*fine.layers, *place.overrides(scheme, *pair)))
        found.append(Sensitivity(place, kind, bits, study.measure(one)))
    return found


def mixture(
    study: Study, scheme: Scheme, found: Sequence[Sensitivity], budget: tuple[str, float]
) -> Mixture:
    """Choose bits of each place within a budget so that least noise is foretold, and measure them.

    The noise of places that are measured alone is added up; the choice is the best for this sum.

    Raises:
        QuantizationError: the fewest bits measured cost more than the budget.
    """
    kind, limit = budget
    if kind not in BUDGETS:
        raise QuantizationError(f"a budget must be of {', '.join(BUDGETS)}, not {kind!r}")
    noise = {(s.place, s.kind, s.bits): _noise(s.measured) for s in found}
    where = list(dict.fromkeys(s.place for s in found))
    widths = [
        [
            (w, a)
            for w in sorted({s.bits for s in found if s.kind == "weights"})
            for a in sorted({s.bits for s in found if s.kind == "activations"})
        ]
        for _ in where
    ]
    options = [
        [
            Option(
                getattr(_alone(study, scheme, place, pair), kind),
                noise[place, "weights", pair[0]] + noise[place, "activations", pair[1]],
            )
            for pair in pairs
        ]
        for place, pairs in zip(where, widths, strict=True)
    ]
    chosen = choose(options, limit)
    if chosen is None:
        least = sum(min(o.cost for o in each) for each in options)
        raise QuantizationError(
            f"a budget must be at least {least:.0f} {kind} for the bits measured, not {limit:.0f}"
        )
    bits = {p.value: pairs[c] for p, pairs, c in zip(where, widths, chosen, strict=True)}
    layers = [o for place in where for o in place.overrides(scheme, *bits[place.value])]
    mixed = replace(with_bits(scheme, FINE, FINE), layers=(*scheme.layers, *layers))
    total = sum(each[c].loss for each, c in zip(options, chosen, strict=True))
    most = [max(pair[side] for pair in bits.values()) for side in (0, 1)]
    return Mixture(study.point(most[0], most[1], mixed), bits, -10 * math.log10(max(total, 1e-15)))


def _alone(study: Study, scheme: Scheme, place: Place, pair: tuple[int, int]) -> Cost:
    """Return what a place costs."""
    whole = replace(with_bits(scheme, FINE, FINE), layers=place.overrides(scheme, *pair))
    return cost(study.network, whole, study.interval, only=place)


def _noise(measured: Measured) -> float:
    """Return the noise for each part of signal."""
    ratio = EXACT_DB if measured.sqnr_db is None else measured.sqnr_db
    return float(10.0 ** (-ratio / 10.0))
