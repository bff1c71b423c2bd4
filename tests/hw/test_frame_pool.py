# SPDX-License-Identifier: Apache-2.0
"""When a frame's pooling takes and gives; its RTL is proven in designs that have one."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from intaglio.devices import device
from intaglio.hw.frame_pool import FramePoolProcess
from intaglio.hw.unit import Fold
from intaglio.hw.word_ring import SHORTEST_MEMORY, WordRing
from intaglio.ir.types import TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.max_pool import MaxPool
from intaglio.ops.sum_pool import SumPool

sizes = st.integers(1, 6)


@given(sizes, sizes)
def test_only_the_last_pixel_gives(pixels: int, groups: int) -> None:
    process = FramePoolProcess(pixels, groups)
    events = process.events()
    assert list(events.takes["in"].need) == list(range(1, pixels * groups + 1))
    given = [0, *events.gives["out"].count]
    grown = [after - before for before, after in pairwise(given)]
    assert grown == [0] * (pixels - 1) * groups + [1] * groups


@given(st.tuples(sizes, sizes, sizes), st.sampled_from([MaxPool, SumPool]))
def test_a_window_as_large_as_the_image_keeps_no_rows(
    shape: tuple[int, int, int], op: type[MaxPool | SumPool]
) -> None:
    x = TensorType(shape, IntType(7, signed=True))
    unit = op(shape[:2], (1, 1)).unit([x], {}, Fold())
    assert (unit.module, unit.internal, unit.interval) == ("frame_pool", {}, x.size)
    taller = TensorType((shape[0] + 1, *shape[1:]), x.element)
    assert op(shape[:2], (1, 1)).unit([taller], {}, Fold()).module == "window_pool"


@given(st.integers(1, 70), st.integers(1, 2000))
def test_a_ring_is_a_memory_where_its_latency_fits(width: int, length: int) -> None:
    ring = WordRing(width, length)
    assert (ring.memory is None) == (length < SHORTEST_MEMORY)
    assert ring.block <= (ring.resources.on(device("ecp5-25f")).bram > 0)
    if ring.memory is None:
        assert ring.resources.ff >= width * length
