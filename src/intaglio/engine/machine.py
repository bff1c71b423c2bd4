# SPDX-License-Identifier: Apache-2.0
"""A tape and the kernels it runs on: arrays in, arrays out."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from intaglio.engine.assembly import LINE
from intaglio.engine.library import library
from intaglio.engine.tape import REAL, Tape


@dataclass(frozen=True, eq=False)
class Machine:
    """Runs one tape, on as many threads as there are; each computes whole frames by itself."""

    tape: Tape
    threads: int = 1

    def run(
        self, data: np.ndarray, channels_first: bool, names: Sequence[str], *, real: bool
    ) -> tuple[list[np.ndarray], bool]:
        """Run a batch.

        Args:
            data: codes, or reals as float32 or float64; [N, *frame].
            channels_first: whether its images are.
            names: values to return, in order.
            real: whether as real numbers.

        Returns:
            The values, and whether all reals given were finite; where not, the values are void.
        """
        data = np.ascontiguousarray(data)
        ends = [self.tape.outputs[name] for name in names]
        count = len(data)
        results = [
            np.empty((count, *e.type.shape), REAL if real else e.type.element.dtype) for e in ends
        ]
        pointers = (ctypes.c_void_p * len(names))(*(_address(array) for array in results))
        words, length = self._words(data.dtype, channels_first, tuple(names), real)
        given, (kernels, constants) = _address(data), self._kernels

        def part(first: int, end: int) -> int:
            place = (words, length, constants, self._arena(), given, pointers)
            return int(kernels.run_tape(*place, first, end))

        if self.threads == 1 or count < 2 * self.threads:
            return results, part(0, count) == 0
        cuts = [count * i // self.threads for i in range(self.threads + 1)]
        with ThreadPoolExecutor(self.threads) as pool:
            return results, not any(pool.map(part, cuts[:-1], cuts[1:]))

    def _words(
        self, given: np.dtype[np.generic], channels_first: bool, names: tuple[str, ...], real: bool
    ) -> tuple[int, int]:
        """Return address and length of the whole tape for such a run; it is written once."""
        key = given, channels_first, names, real
        if key not in self._whole:
            self._whole[key] = self.tape.words(given, channels_first, names, real)
        words = self._whole[key]
        return _address(words), len(words)

    @cached_property
    def _whole(self) -> dict[object, np.ndarray]:
        return {}

    @cached_property
    def _kernels(self) -> tuple[ctypes.CDLL, int]:
        return library(), _address(self.tape.constants)

    @cached_property
    def _local(self) -> threading.local:
        return threading.local()

    def _arena(self) -> int:
        """Return this thread's memory for a frame, at a cache line."""
        local = self._local
        if not hasattr(local, "arena"):
            local.arena = np.zeros(self.tape.arena + LINE, dtype=np.uint8)
            local.address = -(-_address(local.arena) // LINE) * LINE
        return int(local.address)


def _address(array: np.ndarray) -> int:
    """Return where an array's data lies; half the time that `array.ctypes.data` takes."""
    return int(array.__array_interface__["data"][0])
