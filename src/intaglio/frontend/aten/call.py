# SPDX-License-Identifier: Apache-2.0
"""One ATen operator while it is read: its arguments by position or name, tensors resolved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from intaglio.frontend.builder import Activation, Builder, Dropped, Site, UnsupportedError
from intaglio.frontend.geometry import frame_axes
from intaglio.ops.windows import Pair

Operand = Activation | np.ndarray
Result = Activation | Dropped | tuple[Activation, ...]


@dataclass(frozen=True)
class Call:
    """An operator with its arguments.

    `sole` tells for each tensor argument whether nothing else reads it, `batch` the size of the
    batch axis the module was exported with.
    """

    arguments: tuple[Any, ...]
    named: Mapping[str, Any]
    builder: Builder
    site: Site
    batch: int
    sole: tuple[bool, ...]

    def get(self, index: int, key: str, default: Any = None) -> Any:
        """Return an argument."""
        if index < len(self.arguments):
            return self.arguments[index]
        return self.named.get(key, default)

    def activation(self, index: int = 0) -> Activation:
        """Return an argument that must be computed by the network."""
        found = self.get(index, "")
        if not isinstance(found, Activation):
            raise UnsupportedError(f"argument {index + 1} must come from the network's input")
        return found

    def image(self) -> tuple[Activation, Pair]:
        """Return the first argument with its height and width."""
        x = self.activation()
        if len(x.shape) != 3:
            raise UnsupportedError(f"its input must be an image [N, C, H, W], not {list(x.shape)}")
        return x, (x.shape[1], x.shape[2])

    def optional(self, index: int, key: str) -> np.ndarray | None:
        """Return a constant tensor or number, as an array, or None where it is absent."""
        found = self.get(index, key)
        if found is None:
            return None
        if isinstance(found, Activation):
            raise UnsupportedError(f"argument {key} must be constant")
        array = np.asarray(found, dtype=np.float64)
        if bad := int(np.count_nonzero(~np.isfinite(array))):
            raise UnsupportedError(
                f"argument {key} must be finite, "
                f"not NaN or infinite in {bad} of {array.size} numbers"
            )
        return array

    def array(self, index: int, key: str) -> np.ndarray:
        """Return a constant tensor or number that must be there."""
        found = self.optional(index, key)
        if found is None:
            raise UnsupportedError(f"argument {key} must be given")
        return found

    def pair(self, index: int, key: str, default: Any) -> Pair:
        """Return an argument that is one or two integers."""
        found = self.get(index, key, default)
        values = [found] if isinstance(found, int) else list(found)
        if len(values) not in (1, 2) or not all(isinstance(n, int) for n in values):
            raise UnsupportedError(f"argument {key} must be one or two integers, not {found}")
        return int(values[0]), int(values[-1])

    def number(self, index: int, key: str, default: float) -> float:
        """Return an argument that is one number."""
        found = self.get(index, key, default)
        if not isinstance(found, int | float):
            raise UnsupportedError(f"argument {key} must be a number, not {found!r}")
        return float(found)

    def frame_axis(self, index: int, default: int = 0) -> int:
        """Return the argument `dim` as an axis of the frame."""
        return frame_axes([self.get(index, "dim", default)], len(self.activation().shape) + 1)[0]

    def integers(self, index: int, key: str) -> tuple[int, ...]:
        """Return an argument that is one integer or a list of them."""
        found = self.get(index, key)
        values = [found] if isinstance(found, int) else list(found or ())
        return tuple(int(n) for n in values)


Operators = dict[str, Callable[[Call], Result]]
