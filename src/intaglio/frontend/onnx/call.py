# SPDX-License-Identifier: Apache-2.0
"""One ONNX node while it is read: its operands as found so far, its attributes by kind."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from intaglio.frontend.builder import Activation, Builder, Dropped, Site, UnsupportedError
from intaglio.frontend.geometry import frame_axes
from intaglio.frontend.layers import shapes
from intaglio.frontend.onnx.source import SourceNode

Operand = Activation | np.ndarray
Result = Activation | np.ndarray | Dropped | tuple[Activation | np.ndarray | None, ...]


@dataclass(frozen=True)
class Call:
    """A node with its operands; None stands for an optional one that is absent.

    `sole` tells for each operand whether nothing else reads it, `wanted` which results are read,
    `batch` the size of the batch axis in computed shapes.
    """

    node: SourceNode
    operands: tuple[Operand | None, ...]
    builder: Builder
    site: Site
    opset: int
    batch: int
    sole: tuple[bool, ...]
    wanted: tuple[bool, ...]

    # --- operands ------------------------------------------------------------------------------

    def activation(self, index: int = 0) -> Activation:
        """Return an operand that must be computed by the network."""
        found = self.operands[index] if index < len(self.operands) else None
        if not isinstance(found, Activation):
            raise UnsupportedError(f"operand {index + 1} must come from the network's input")
        return found

    def image(self) -> tuple[Activation, int, int]:
        """Return the first operand as an image, with its height and width; a row becomes one."""
        x = self.activation()
        if len(x.shape) == 2:
            shape = (x.shape[0], 1, x.shape[1])
            x = shapes.reshape(self.builder, x, shape, Site(f"{self.site.name}_row", ""))
        if len(x.shape) != 3:
            raise UnsupportedError(
                f"its input must be an image [N, C, H, W], not a frame {list(x.shape)}"
            )
        return x, x.shape[1], x.shape[2]

    @property
    def row(self) -> bool:
        """Whether the first operand is a row [N, C, W], whose attributes have one number each."""
        return len(self.activation().shape) == 2

    def like_operand(self, y: Activation) -> Activation:
        """Return an image that was made of a row as a row again."""
        if not self.row:
            return y
        shape = (y.shape[0], y.shape[2])
        return shapes.reshape(self.builder, y, shape, Site(f"{self.site.name}_flat", ""))

    def optional(self, index: int) -> np.ndarray | None:
        """Return an operand that must be constant if it is there."""
        found = self.operands[index] if index < len(self.operands) else None
        if isinstance(found, Activation):
            raise UnsupportedError(f"operand {self.node.inputs[index]!r} must be a constant")
        return found

    def array(self, index: int) -> np.ndarray:
        """Return an operand that must be constant."""
        found = self.optional(index)
        if found is None:
            raise UnsupportedError(f"operand {index + 1} must be given")
        return found

    def weights(self, index: int) -> np.ndarray:
        """Return a constant operand of finite numbers."""
        array = self.array(index)
        if bad := int(np.count_nonzero(~np.isfinite(array))):
            raise UnsupportedError(
                f"tensor {self.node.inputs[index]!r} must be finite, "
                f"not NaN or infinite in {bad} of {array.size} numbers"
            )
        return array

    def vector(self, index: int, size: int) -> np.ndarray:
        """Return a bias as [size], from any shape that broadcasts to it."""
        array = self.weights(index)
        if array.size not in (1, size) or array.size != math.prod(array.shape[-1:]):
            shape = list(array.shape)
            raise UnsupportedError(f"its bias must be one number a channel, not {shape}")
        return np.broadcast_to(array.reshape(-1).astype(np.float64), (size,))

    def scalar(self, index: int, default: float) -> float:
        """Return a constant operand that is one number, or the default where it is absent."""
        array = self.optional(index)
        if array is None:
            return default
        if array.size != 1:
            raise UnsupportedError(
                f"operand {self.node.inputs[index]!r} must be one number, "
                f"not an array {list(array.shape)}"
            )
        return float(array.reshape(-1)[0])

    # --- attributes ----------------------------------------------------------------------------

    def integer(self, key: str, default: int) -> int:
        """Return an integer attribute."""
        return int(self._attribute(key, int, default))

    def flag(self, key: str, default: int) -> bool:
        """Return an integer attribute that says yes or no."""
        found = self.integer(key, default)
        if found not in (0, 1):
            raise UnsupportedError(f"attribute {key} must be 0 or 1, not {found}")
        return bool(found)

    def number(self, key: str, default: float) -> float:
        """Return a float attribute."""
        return float(self._attribute(key, float, default))

    def word(self, key: str, default: str) -> str:
        """Return a string attribute."""
        return str(self._attribute(key, str, default))

    def integers(self, key: str, default: Sequence[int] | None) -> tuple[int, ...] | None:
        """Return an attribute that is a list of integers."""
        found = self.node.attributes.get(key)
        if found is None:
            return None if default is None else tuple(default)
        if not isinstance(found, tuple) or not all(isinstance(n, int) for n in found):
            raise UnsupportedError(f"attribute {key} must be a list of integers, not {found!r}")
        return found

    def pair(self, key: str, default: tuple[int, int]) -> tuple[int, int]:
        """Return an attribute that is two integers: down, across; of a row one, across."""
        found = self.integers(key, None)
        if found is None:
            return default
        if len(found) != (1 if self.row else 2):
            number = "one integer" if self.row else "two integers"
            raise UnsupportedError(f"attribute {key} must be {number}, not {list(found)}")
        return (default[0] if self.row else found[0]), found[-1]

    def integers_or_operand(self, key: str, index: int) -> tuple[int, ...] | None:
        """Return what older opsets have as an attribute and newer ones as an operand."""
        array = self.optional(index)
        if array is None:
            return self.integers(key, None)
        if not np.issubdtype(array.dtype, np.integer):
            raise UnsupportedError(f"operand {self.node.inputs[index]!r} must be integers")
        return tuple(int(n) for n in array.ravel())

    def frame_axis(self, default: int) -> int:
        """Return the attribute `axis` as an axis of the frame."""
        return frame_axes([self.integer("axis", default)], len(self.activation().shape) + 1)[0]

    def site_of(self, index: int) -> Site:
        """Return where the result with a number comes from."""
        return Site(
            f"{self.site.name}_{index}" if index else self.site.name, self.node.outputs[index]
        )

    def axes(self, index: int) -> tuple[int, ...] | None:
        """Return the axes of an operator that has them as attribute or operand."""
        return self.integers_or_operand("axes", index)

    def shape_slice(self, shape: Sequence[int]) -> np.ndarray:
        """Return what Shape says of a shape, between its start and end."""
        start, end = self.integer("start", 0), self.integer("end", len(shape))
        return np.array(shape, np.int64)[start:end]

    def _attribute(self, key: str, kind: type, default: object) -> Any:
        found = self.node.attributes.get(key, default)
        if not isinstance(found, kind):
            raise UnsupportedError(f"attribute {key} must be of type {kind.__name__}")
        return found


Operators = dict[tuple[str, str], Callable[[Call], Result]]
