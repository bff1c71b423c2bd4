# SPDX-License-Identifier: Apache-2.0
"""Where the elements of a source tensor lie in ours: transposes and reshapes that move nothing.

A source frame of shape `dims` (no batch axis) becomes ours by a permutation of its axes: our axis i
is the source's axis `order[i]`. An image (C, H, W) is ours as (H, W, C): order (1, 2, 0). When the
source flattens such an image, our elements stay where they are; `shape` then is the vector the
source sees, and whoever reads it has to permute its weights.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

#: (C, H, W) as (H, W, C).
CHANNELS_FIRST = (1, 2, 0)
#: Axis orders are tried one by one.
MAX_RANK = 5


@dataclass(frozen=True)
class Layout:
    """How a source frame of `shape` lies in ours; `dims` is the shape before it was flattened."""

    shape: tuple[int, ...]
    dims: tuple[int, ...]
    order: tuple[int, ...]

    @classmethod
    def of(cls, shape: tuple[int, ...], *, channels_first: bool) -> Layout:
        """Lay a fresh source frame: an image as told, anything else as it is."""
        image = channels_first and len(shape) == len(CHANNELS_FIRST)
        return cls(shape, shape, CHANNELS_FIRST if image else tuple(range(len(shape))))

    @property
    def flattened(self) -> bool:
        """Whether the source sees a vector whose elements lie in another order in ours."""
        return self.shape != self.dims

    @property
    def ours(self) -> tuple[int, ...]:
        """The shape of our frame."""
        return self.shape if self.flattened else tuple(self.dims[axis] for axis in self.order)

    @property
    def channel(self) -> int:
        """The source axis that is last in ours."""
        return self.order[-1]

    def to_ours(self, batch: np.ndarray) -> np.ndarray:
        """Bring a source batch [N, *shape] into our order: [N, *ours]."""
        structured = batch.reshape(len(batch), *self.dims)
        moved = structured.transpose(0, *(axis + 1 for axis in self.order))
        return np.ascontiguousarray(moved.reshape(len(batch), *self.ours))

    def to_source(self, batch: np.ndarray) -> np.ndarray:
        """Bring a batch of ours back into the source's order: the inverse of `to_ours`."""
        structured = batch.reshape(len(batch), *(self.dims[axis] for axis in self.order))
        back = np.argsort(self.order)
        moved = structured.transpose(0, *(int(axis) + 1 for axis in back))
        return moved.reshape(len(batch), *self.shape).copy()  # a copy: torch looks at strides

    def transposed(self, permutation: tuple[int, ...]) -> Layout:
        """Follow the source's transpose of a frame; only its view changes."""
        dims = tuple(self.dims[axis] for axis in permutation)
        return Layout(dims, dims, tuple(permutation.index(axis) for axis in self.order))

    @classmethod
    def in_order(cls, shape: tuple[int, ...]) -> Layout:
        """Lay a frame whose elements are in the source's order: as an image if they can be."""
        found = next(o for o in _orders(len(shape)) if (s := _spread(shape, o)) == sorted(s))
        return cls(shape, shape, found)

    def reshaped(self, target: tuple[int, ...]) -> Layout | None:
        """Follow the source's reshape of a frame, or None where our elements would have to move.

        Possible: axes of size 1 come or go, an image becomes a vector or the same image again, or
        the elements lie in the source's order anyway.
        """
        moved = _spread(self.dims, self.order)
        if moved == sorted(moved):
            return Layout.in_order(target)
        if _without_ones(target) == _without_ones(self.dims):
            return _matching(target, [sorted(moved).index(axis) for axis in moved])
        return Layout(target, self.dims, self.order) if len(target) == 1 else None

    @property
    def spread(self) -> list[int]:
        """The source's axes in our order, without those of size 1: equal spreads, equal places."""
        return _spread(self.dims, self.order)

    def axis(self, source: int) -> int:
        """Return which of our axes an axis of the source is."""
        return self.order.index(source)

    def resized(self, dims: tuple[int, ...]) -> Layout:
        """Return the same order for other sizes."""
        return Layout(dims, dims, self.order)


def _spread(dims: tuple[int, ...], order: tuple[int, ...]) -> list[int]:
    """Return the axes in our order, without those of size 1: equal spreads, equal places."""
    return [axis for axis in order if dims[axis] > 1]


def _without_ones(dims: tuple[int, ...]) -> list[int]:
    return [size for size in dims if size > 1]


def _orders(rank: int) -> list[tuple[int, ...]]:
    """Return the axis orders to try, the usual ones first."""
    plain = tuple(range(rank))
    first = [CHANNELS_FIRST] if rank == len(CHANNELS_FIRST) else []
    return [*first, plain, *itertools.permutations(plain)]


def _matching(target: tuple[int, ...], ranks: list[int]) -> Layout | None:
    """Lay a target that differs from the old dims by axes of size 1 only."""
    if len(target) > MAX_RANK:
        return None
    for order in _orders(len(target)):
        spread = _spread(target, order)
        if [sorted(spread).index(axis) for axis in spread] == ranks:
            return Layout(target, target, order)
    return None
