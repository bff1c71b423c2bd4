# SPDX-License-Identifier: Apache-2.0
"""SCALE-Sim 3.0.0's model as plain loops over every line and every word: slow, and easy to check.

Nothing is shared with the package but the plain data of `Layer`, `Config` and `Row`. What the tool
does is written down in docs/howto/use-it-for-scale-sim.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from intaglio.scalesim.config import Config
from intaglio.scalesim.report import Row
from intaglio.scalesim.topology import Layer

Matrix = list[list[int]]


class DividesByZeroError(Exception):
    """The tool divides by zero."""


def matrices(layer: Layer, config: Config) -> tuple[Matrix, Matrix, Matrix]:
    """Return the addresses of the windows [p, k], the filters [k, f] and the output [p, f]."""
    high = math.ceil((layer.height - layer.filter_height + layer.stride) / layer.stride)
    wide = math.ceil((layer.width - layer.filter_width + layer.stride_width) / layer.stride_width)
    size = layer.filter_height * layer.filter_width * layer.channels
    taps = [k for k in range(size) if not config.sparse or k % layer.block < layer.kept]
    ifmap = []
    for p in range(high * wide):
        row = []
        for k in taps:
            y = p // wide * layer.stride + k // (layer.filter_width * layer.channels)
            x = p % wide * layer.stride_width + k // layer.channels % layer.filter_width
            word = (y * layer.width + x) * layer.channels + k % layer.channels
            inside = y < layer.height and x < layer.width
            row.append(config.ifmap_offset + word if inside else -1)
        ifmap.append(row)
    filters = [[config.filter_offset + f * size + k for f in range(layer.filters)] for k in taps]
    output = [
        [config.ofmap_offset + p * layer.filters + f for f in range(layer.filters)]
        for p in range(high * wide)
    ]
    return ifmap, filters, output


def transposed(matrix: Matrix) -> Matrix:
    return [list(row) for row in zip(*matrix, strict=True)]


def tile(matrix: Matrix, row: int, rows: int, column: int, columns: int) -> Matrix:
    """Return a part of a matrix, as large as asked for, with nothing (-1) beyond its edges."""
    return [
        [
            matrix[i][j] if i < len(matrix) and j < len(matrix[0]) else -1
            for j in range(column, column + columns)
        ]
        for i in range(row, row + rows)
    ]


def skewed(matrix: Matrix) -> Matrix:
    """Delay each column by one line more than the one before it."""
    height, width = len(matrix), len(matrix[0])
    lines = [[-1] * width for _ in range(height + width - 1)]
    for i, row in enumerate(matrix):
        for j, word in enumerate(row):
            lines[i + j][j] = word
    return lines


def empty(lines: int, width: int) -> Matrix:
    return [[-1] * width for _ in range(lines)]


@dataclass
class Demand:
    """What passes the array's edges in every line, what is fetched ahead, and what folds are of."""

    ifmap: Matrix = field(default_factory=list)
    filter: Matrix = field(default_factory=list)
    ofmap: Matrix = field(default_factory=list)
    ifmap_ahead: Matrix = field(default_factory=list)
    filter_ahead: Matrix = field(default_factory=list)
    used: list[int] = field(default_factory=list)
    row_counts: list[int] = field(default_factory=list)
    time: int = 0


def demand(layer: Layer, config: Config) -> Demand:
    """Return what passes in every line of every fold."""
    ifmap, filters, output = matrices(layer, config)
    found = {"os": _output_stays, "ws": _filter_stays, "is": _input_stays}[config.dataflow](
        ifmap, filters, output, config.rows, config.columns
    )
    lines = {len(found.ifmap), len(found.filter), len(found.ofmap)}
    assert len(lines) == 1
    return found


def _folds(extent: int, size: int) -> range:
    return range(0, extent, size)


def _output_stays(ifmap: Matrix, filters: Matrix, output: Matrix, R: int, C: int) -> Demand:  # noqa: N803
    time, found = len(filters), Demand(time=len(filters))
    for f in _folds(len(filters[0]), C):
        for p in _folds(len(ifmap), R):
            windows = transposed(tile(ifmap, p, R, 0, time))
            found.ifmap += skewed(windows + empty(C - 1, R))
            found.filter += skewed(tile(filters, 0, time, f, C) + empty(R - 1, C))
            sums = tile(output, p, R, f, C)[::-1]
            found.ofmap += skewed(empty(time - 1, C) + sums)
            _note(found, p, f, ifmap, filters, R, C)
    for p in _folds(len(ifmap), R):
        found.ifmap_ahead += transposed(tile(ifmap, p, R, 0, time))
    for f in _folds(len(filters[0]), C):
        found.filter_ahead += tile(filters, 0, time, f, C)
    return found


def _note(
    found: Demand,
    row: int,
    column: int,
    left: Matrix,
    right: Matrix,
    R: int,  # noqa: N803
    C: int,  # noqa: N803
) -> None:
    rows = min(R, len(left) - row)
    found.used.append(rows * min(C, len(right[0]) - column))
    found.row_counts.append(rows)


def _filter_stays(ifmap: Matrix, filters: Matrix, output: Matrix, R: int, C: int) -> Demand:  # noqa: N803
    time, found = len(ifmap), Demand(time=len(ifmap))
    for f in _folds(len(filters[0]), C):
        for k in _folds(len(filters), R):
            found.ifmap += skewed(empty(R, R) + tile(ifmap, 0, time, k, R) + empty(C - 1, R))
            found.filter += tile(filters, k, R, f, C)[::-1] + empty(R + C + time - 2, C)
            found.ofmap += skewed(empty(2 * R - 1, C) + tile(output, 0, time, f, C))
            _note(found, k, f, filters, filters, R, C)
    for k in _folds(len(filters), R):
        found.ifmap_ahead += tile(ifmap, 0, time, k, R)
    for f in _folds(len(filters[0]), C):
        found.filter_ahead += tile(filters, 0, len(filters), f, C)
    return found


def _input_stays(ifmap: Matrix, filters: Matrix, output: Matrix, R: int, C: int) -> Demand:  # noqa: N803
    time, found = len(filters[0]), Demand(time=len(filters[0]))
    taps, across, sums = transposed(ifmap), transposed(filters), transposed(output)
    for p in _folds(len(ifmap), C):
        for k in _folds(len(filters), R):
            found.ifmap += tile(taps, k, R, p, C)[::-1] + empty(R + C + time - 2, C)
            found.filter += skewed(empty(R, R) + tile(across, 0, time, k, R) + empty(C - 1, R))
            found.ofmap += skewed(empty(2 * R - 1, C) + tile(sums, 0, time, p, C))
            _note(found, k, p, taps, taps, R, C)
    for p in _folds(len(ifmap), C):
        found.ifmap_ahead += tile(taps, 0, len(taps), p, C)
    for k in _folds(len(filters), R):
        found.filter_ahead += tile(across, 0, time, k, R)
    return found


class EstimatedReads:
    """A set of words that is emptied when half of the buffer is full."""

    def __init__(self, words: int) -> None:
        self.share = words // 100
        self.held: set[int] = set()
        self.misses = 0
        self.flushes: list[int] = []
        self.first: int | None = None

    def serve(self, line: list[int], cycle: int) -> int:
        """Return how long a line waits: never more than for a hit."""
        for word in line:
            if word != -1:
                self.first = cycle if self.first is None else self.first
                if word not in self.held:
                    self.held.add(word)
                    self.misses += 1
                if len(self.held) == 50 * self.share:
                    self.held = set()
                    self.flushes.append(cycle)
        return 1

    def accesses(self) -> tuple[int, int, int]:
        assert self.first is not None
        if not self.flushes:
            words = math.ceil(self.misses / self.share) * self.share
            return -math.ceil(words / 10), -1, self.misses
        if any(a == b for a, b in zip(self.flushes, self.flushes[1:], strict=False)):
            raise DividesByZeroError
        start = self.first - math.ceil(50 * self.share / 10)
        return start, self.flushes[-1] + 1, self.misses


class FetchedReads:
    """A window over the words in the order in which they are fetched."""

    def __init__(self, words: int, bandwidth: int, ahead: Matrix, *, diagonal: bool) -> None:
        active = math.ceil(words / 2)
        size = math.ceil(words / 100)
        order = _diagonals(ahead) if diagonal else [word for row in ahead for word in row]
        self.sets: list[set[int]] = [set()]
        count = 0
        for word in order:
            if word != -1:
                self.sets[-1].add(word)
                count += 1
                if count == size:
                    self.sets.append(set())
                    count = 0
        self.held = min(math.ceil(active / size), len(self.sets))
        self.moved = min(math.ceil((words - active) / size), len(self.sets) - self.held)
        self.at = 0
        self.bandwidth = bandwidth
        self.ahead = min(math.ceil(active / bandwidth), math.ceil(len(order) / bandwidth))
        self.each = math.ceil((words - active) / bandwidth)
        self.last = -1
        self.words = self.ahead * bandwidth

    def _has(self, word: int) -> bool:
        return any(word in self.sets[(self.at + i) % len(self.sets)] for i in range(self.held))

    def serve(self, line: list[int], cycle: int) -> int:
        """Return how long a line waits."""
        wait = 1
        for word in line:
            while word != -1 and not self._has(word):
                self.at = (self.at + self.moved) % len(self.sets)
                self.words += self.each * self.bandwidth
                self.last += self.each + 1
                late = self.last - (cycle + wait)
                wait += late
                if late > 0:
                    wait += late
        return wait

    def accesses(self) -> tuple[int, int, int]:
        return -self.ahead, self.last, self.words


def _diagonals(matrix: Matrix) -> list[int]:
    height, width = len(matrix), len(matrix[0])
    return [
        matrix[row][diagonal - row]
        for diagonal in range(height + width)
        for row in range(min(diagonal, height - 1), max(0, diagonal - width + 1) - 1, -1)
    ]


class Writes:
    """Words gathered into lines and drained in bursts."""

    def __init__(self, words: int, bandwidth: int) -> None:
        self.words, self.bandwidth = words, bandwidth
        self.active = math.ceil(words / 2)
        self.free = words
        self.busy = 0
        self.lines: list[list[int]] = []
        self.line: list[int] = []
        self.cycles: list[int] = []
        self.written = 0

    def serve(self, line: list[int], cycle: int) -> int:
        """Return the cycle at which a line is written."""
        for word in line:
            if word == -1:
                continue
            self.line.append(word)
            self.free -= 1
            if len(self.line) == self.bandwidth:
                self._close()
            if cycle < self.busy:
                cycle = self.busy if self.free <= 0 else cycle
            elif self.free < self.active:
                self._close()
                self._drain(cycle)
        return cycle

    def _close(self) -> None:
        if self.line:
            self.lines.append(self.line)
            self.line = []

    def _drain(self, cycle: int) -> None:
        first = len(self.cycles)
        burst = self.lines[first : first + math.ceil((self.words - self.active) / self.bandwidth)]
        words = len(burst) * self.bandwidth - (self.bandwidth - len(burst[-1]))
        self.cycles += [cycle + i for i in range(len(burst))]
        self.busy = cycle + len(burst) - 1
        self.free += words
        self.written += words

    def finish(self, cycle: int) -> None:
        self._close()
        while len(self.cycles) < len(self.lines):
            self._drain(cycle)
            cycle = self.busy + 1


@dataclass
class Slow:
    """A layer's numbers, and its traces' lines."""

    row: Row
    traces: dict[str, str]


def simulate(layer: Layer, config: Config) -> Slow:
    """Pass every line of a layer."""
    needed = demand(layer, config)
    reads: list[EstimatedReads] | list[FetchedReads]
    if config.user:
        reads = [
            FetchedReads(words, bandwidth, ahead, diagonal=config.dataflow != stays)
            for words, bandwidth, ahead, stays in (
                (config.ifmap_buffer, config.ifmap_bandwidth, needed.ifmap_ahead, "is"),
                (config.filter_buffer, config.filter_bandwidth, needed.filter_ahead, "ws"),
            )
        ]
    else:
        reads = [EstimatedReads(config.ifmap_buffer), EstimatedReads(config.filter_buffer)]
    writes = Writes(config.ofmap_buffer, config.ofmap_bandwidth)
    served: list[list[int]] = [[], [], []]
    stalls = 0
    for line in range(len(needed.ofmap)):
        cycle = line + stalls
        waits = (
            reads[0].serve(needed.ifmap[line], cycle),
            reads[1].serve(needed.filter[line], cycle),
        )
        written = writes.serve(needed.ofmap[line], cycle)
        for cycles, at in zip(served, (cycle + waits[0], cycle + waits[1], written), strict=True):
            cycles.append(at)
        stalls += max(waits[0] - 1, waits[1] - 1, written - cycle)
    writes.finish(served[2][-1])
    row = _row(layer, config, needed, reads, writes, served, stalls)
    return Slow(row, _traces(needed, served, writes))


def _row(layer, config, needed, reads, writes, served, stalls) -> Row:  # type: ignore[no-untyped-def]
    total = served[2][-1]
    if total == 0:
        raise DividesByZeroError
    cells = config.rows * config.columns
    lines = len(needed.ofmap) // len(needed.used)
    if config.dataflow != "os":
        lines += config.columns - 1
    efficiency = utilization = 0.0
    for used in needed.used:
        efficiency += used / cells
        utilization += used * needed.time / (cells * lines)
    accesses = _accesses(layer, config, needed)
    ends = [
        _ends(lines, served[i])
        for i, lines in enumerate((needed.ifmap, needed.filter, needed.ofmap))
    ]
    dram = [
        reads[0].accesses(),
        reads[1].accesses(),
        (min(writes.cycles), max(writes.cycles), writes.written),
    ]
    size = layer.filter_height * layer.filter_width * layer.channels
    macs = len({word for line in needed.ofmap for word in line} - {-1}) * size
    folds = len(needed.used)
    return Row(
        layer.name,
        dram[2][1] - min(dram[0][0], dram[1][0]),
        total,
        stalls,
        macs * 100 / (total * cells),
        efficiency / folds * 100,
        utilization / folds * 100,
        *(words / total for words in accesses),
        *(words / (stop - start + 1) for start, stop, words in dram),
        *(x for end, words in zip(ends, accesses, strict=True) for x in (*end, words)),
        *(x for access in dram for x in access),
    )


def _accesses(layer: Layer, config: Config, needed: Demand) -> list[float]:
    """Count SRAM accesses, with those outside of the image and the tool's extra writes."""
    writes = sum(word != -1 for line in needed.ofmap for word in line)
    if config.dataflow == "os":
        writes += len(needed.used) * (config.rows + config.columns)
    filters = sum(word != -1 for line in needed.filter for word in line)
    ifmap, filters_, output = matrices(layer, config)
    pixels, taps, count = len(ifmap), len(filters_), len(output[0])
    reads: float = {
        "os": math.ceil(count / config.columns) * pixels * taps,
        "ws": math.ceil(count / config.columns) * pixels * taps,
        "is": pixels * taps,
    }[config.dataflow]
    if config.sparse and config.dataflow == "ws":
        reads = 0
        for rows in needed.row_counts:
            reads += rows * pixels * (layer.block / layer.kept)
    return [reads, filters, writes]


def _ends(lines: Matrix, served: list[int]) -> tuple[int, int]:
    busy = [i for i, line in enumerate(lines) if any(word != -1 for word in line)]
    return served[busy[0]], served[busy[-1]]


def _traces(needed: Demand, served: list[list[int]], writes: Writes) -> dict[str, str]:
    traces = {}
    for name, lines, cycles in zip(
        ("IFMAP", "FILTER", "OFMAP"),
        (needed.ifmap, needed.filter, needed.ofmap),
        served,
        strict=True,
    ):
        text = [",".join(map(str, [at, *line])) for at, line in zip(cycles, lines, strict=True)]
        traces[f"{name}_SRAM_TRACE.csv"] = "\n".join([*text, ""])
    text = []
    for at, line in zip(writes.cycles, writes.lines, strict=True):
        words = line + [-1] * (writes.bandwidth - len(line))
        text.append(",".join(str(float(number)) for number in [at, *words]))
    traces["OFMAP_DRAM_TRACE.csv"] = "\n".join([*text, ""])
    return traces
