# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from intaglio.quantize.seen import KEPT, fingerprints, seen_before
from tests.quantize.networks import normal


@given(st.integers(0, 100), st.integers(0, 20), st.integers(0, 20))
def test_frames_are_known_again_in_any_order_and_type(seed: int, known: int, fresh: int) -> None:
    frames = normal(seed, known + fresh, 3, 2)
    kept = fingerprints(frames[:known])
    shuffled = np.random.default_rng(seed).permutation(frames).astype(np.float64)
    assert seen_before(kept, shuffled) == known


def test_of_many_frames_a_part_is_kept() -> None:
    frames = normal(1, 3 * KEPT, 2)
    kept = fingerprints(frames)
    assert len(kept) == KEPT
    assert seen_before(kept, frames) == KEPT
    assert seen_before(kept, normal(2, 500, 2)) == 0
