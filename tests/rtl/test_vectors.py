# SPDX-License-Identifier: Apache-2.0
"""Frames as beats and back."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from intaglio.hw.unit import Stream
from intaglio.numerics.types import IntType
from intaglio.rtl.vectors import from_beats, hex_beats, to_beats, words_per_beat

elements = st.builds(IntType, st.integers(1, 48), st.booleans())


@st.composite
def batches(draw: st.DrawFn) -> tuple[Stream, np.ndarray]:
    stream = Stream(draw(st.integers(1, 9)), draw(elements), draw(st.integers(1, 4)))
    count = draw(st.integers(0, 3))
    low, high = stream.element.min, stream.element.max
    size = count * stream.beats * stream.lanes
    numbers = draw(st.lists(st.integers(low, high), min_size=size, max_size=size))
    frames = np.array(numbers, dtype=np.int64).reshape(count, stream.beats * stream.lanes)
    return stream, frames


@given(batches())
def test_beats_read_back_as_the_frames_they_were_packed_from(
    batch: tuple[Stream, np.ndarray],
) -> None:
    stream, frames = batch
    beats = to_beats(frames, stream)
    assert beats.shape == (len(frames) * stream.beats, words_per_beat(stream))
    assert np.array_equal(from_beats(beats, stream, frames.shape[1:]), frames)


@given(batches())
def test_the_first_element_sits_in_the_lowest_bits(batch: tuple[Stream, np.ndarray]) -> None:
    stream, frames = batch
    width = stream.element.width
    lines = hex_beats(to_beats(frames, stream), stream.width).split()
    assert len(lines) == len(frames) * stream.beats
    for line, lanes in zip(lines, frames.reshape(-1, stream.lanes).tolist(), strict=True):
        assert len(line) == -(-stream.width // 4)
        assert int(line, 16) == sum(
            (code & ((1 << width) - 1)) << (lane * width) for lane, code in enumerate(lanes)
        )


def test_a_frame_keeps_its_shape() -> None:
    stream = Stream(2, IntType(5, signed=True), 6)
    frames = np.arange(-12, 12).reshape(2, 2, 3, 2)
    beats = to_beats(frames, stream)
    assert np.array_equal(from_beats(beats, stream, (2, 3, 2)), frames)
