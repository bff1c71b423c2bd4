# SPDX-License-Identifier: Apache-2.0
"""The numbers that verbs take, and what they may be."""

from __future__ import annotations

import math

from intaglio.errors import ModelError

#: More cycles than any frame takes: a target beyond is a slip, and no search counts so far.
MOST_CYCLES = 2**53


def require_positive(**numbers: float | None) -> None:
    """Refuse numbers that are not above zero and finite; None is none.

    Raises:
        ModelError: one is not.
    """
    for name, number in numbers.items():
        if number is not None and not 0 < number < math.inf:
            raise ModelError(f"{name} must be a number above 0, not {number}")


def require_share(**shares: float) -> None:
    """Refuse what is no share of a whole.

    Raises:
        ModelError: one is not above 0 and at most 1.
    """
    for name, share in shares.items():
        if not 0 < share <= 1:
            raise ModelError(f"{name} must be above 0 and at most 1, not {share}")


def whole_cycles(count: float) -> int:
    """Return the whole cycles of what a target comes to.

    Raises:
        ModelError: there are too many to count.
    """
    if not count <= MOST_CYCLES:
        raise ModelError(
            f"a target must be at most {MOST_CYCLES:,} cycles a frame, not {count:g}: "
            "ask for more speed or a lower clock"
        )
    return int(count)
