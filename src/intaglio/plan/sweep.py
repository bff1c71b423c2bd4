# SPDX-License-Identifier: Apache-2.0
"""One forward pass over slots, modes and work done: the loop that `optimum` is made of, compiled.

The state is the work that is saved, or would be if the machine that runs were stopped now. A run
begins with a loss, what starting and the last checkpoint take, counted as work at its own speed;
then each slot adds its gain. So a run needs no memory of how long it has lasted.

Work is in cells. A state's value is one number: its cost, and below it `TAG` bits that say which
mode has run last and since which slot. The least number is then the least cost, and knows its
origin. Numba keeps the compiled loop beside this file. Loaded late: numba takes a while.
"""

from __future__ import annotations

import numba
import numpy as np

MODE_BITS, SLOT_BITS = 7, 15
TAG = MODE_BITS + SLOT_BITS
MASK = (1 << TAG) - 1
INFINITE = 1 << 62
#: A schedule must cost less, in micro-dollars: then no sum runs over.
MOST_COST = 1 << 40
#: Stands for a state that is as it was a slot before.
IDLE = -1


@numba.njit(cache=True)
def sweep(
    cost: np.ndarray,
    price: np.ndarray,
    there: np.ndarray,
    stays: np.ndarray,
    gain: np.ndarray,
    loss: np.ndarray,
    rate: np.ndarray,
    work: int,
    cell: int,
    slot: int,
    least: int,
    origins: np.ndarray,
    final: np.ndarray,
) -> None:
    """Fill `final` with the cheapest finish in each slot, and `origins` with the way to each state.

    `cost` is that of a whole slot, `price` that of an hour. `there` says whether a machine can be
    had in a slot, `stays` whether one that runs already can go on. `gain` is the cells of a slot,
    `loss` those of a start at its beginning, `cell` the units of work in one; a slot lasts `slot`
    seconds, and `least` seconds are billed at least. `origins` has no rows where no way back is
    wanted. A row of `final` is cost, tag, the state before the slot, and the seconds used of it.

    Shapes: cost, price, there, stays, gain, loss [slots, modes]; rate [modes];
    origins [slots + 1 or 0, work]; final [slots, 4].
    """
    slots, modes = cost.shape
    low = max(0, loss.max())
    width = work + low
    saved = np.full(width + 2, INFINITE)
    saved[0] = 0
    now, then = np.full((modes, width), INFINITE), np.full((modes, width), INFINITE)
    reach = 0
    for t in range(slots):
        final[t, 0] = INFINITE
        after, most = saved.copy(), 0
        for i in range(modes):
            if not there[t, i]:
                then[i, :] = INFINITE
                continue
            if not stays[t, i]:
                now[i, :] = INFINITE
            first, up = low - loss[t, i], gain[t, i]
            end = min(width, low + reach + 1 + max(0, -loss[t, i]))
            tag, row = (t << MODE_BITS) | i, then[i]
            running, fresh = now[i, first:end], saved[: end - first]
            for k in range(max(0, width - up - first), len(running)):
                used = min(slot, ((width - first - k) * cell + rate[i] - 1) // rate[i])
                begun = (fresh[k] & ~MASK) | tag
                _finish(final[t], running[k], price[t, i], used, used, first + k - low)
                _finish(final[t], begun, price[t, i], used, max(used, least), first + k - low)
            row[: min(first + up, width)] = INFINITE
            _go_on(running, fresh, tag, cost[t, i] << TAG, row[first + up :])
            begin, most = max(low, first + up), max(most, up)
            _lower(after[begin - low :], row[begin : min(end + up, width)])
        if len(origins):
            _remember(origins[t + 1], saved, after)
        saved = after
        now, then = then, now
        reach = min(work, reach + most + 1)


@numba.njit(cache=True)
def _remember(origins: np.ndarray, before: np.ndarray, after: np.ndarray) -> None:
    for v in range(len(origins)):
        origins[v] = IDLE if after[v] == before[v] else after[v] & MASK


@numba.njit(cache=True)
def _finish(final: np.ndarray, state: int, price: int, used: int, billed: int, before: int) -> None:
    """Take a finish that is cheaper than those known."""
    whole = (state >> TAG) + (price * billed + 1800) // 3600
    if state < INFINITE and whole < final[0]:
        final[0], final[1], final[2], final[3] = whole, state & MASK, before, used


@numba.njit(cache=True)
def _go_on(running: np.ndarray, fresh: np.ndarray, tag: int, paid: int, then: np.ndarray) -> None:
    """Rent for a slot: the machine that runs already or, where that is cheaper, a new one."""
    for k in range(min(len(running), len(then))):
        then[k] = min(running[k], (fresh[k] & ~MASK) | tag) + paid


@numba.njit(cache=True)
def _lower(best: np.ndarray, stopped: np.ndarray) -> None:
    for k in range(len(stopped)):
        best[k] = min(best[k], stopped[k])
