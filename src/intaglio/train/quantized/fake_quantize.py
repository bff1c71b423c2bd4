# SPDX-License-Identifier: Apache-2.0
"""`intaglio::fake_quantize`: a float rounded to a grid of integers, still as a float.

    real = scale * (clamp(round(x / scale) + zero_point, low, high) - zero_point)

The one operator by which a trained network says what its integers are: `torch.export` shows it on
each weight and each activation, with everything an importer has to know.

The gradient of `x` passes where `x / scale + zero_point` is within low..high; that of scale and
zero point is the one of LSQ and LSQ+.

Source: Esser et al., "Learned Step Size Quantization", ICLR 2020, equations 3 and 5; Bhalgat et
al., "LSQ+", CVPR workshops 2020, section 3.1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from intaglio.errors import QuantizationError
from intaglio.train.quantized import fused

#: How halves are rounded: up, toward plus infinity; or to the even neighbor.
ROUNDINGS = ("half_up", "half_even")


@torch.library.custom_op("intaglio::fake_quantize", mutates_args=())
def fake_quantize(
    x: torch.Tensor,
    scale: torch.Tensor,
    zero_point: torch.Tensor,
    low: int,
    high: int,
    rounding: str,
) -> torch.Tensor:
    """Round a tensor to the grid `scale * (low..high - zero_point)`.

    Shapes: x any; scale and zero_point [1], or what broadcasts to x, such as [K, 1, 1, 1].

    Exactness: every step is rounded to 32-bit floats, so a value of the grid stays what it is, and
    training, evaluation and the fast path agree bit for bit.

    Raises:
        QuantizationError: the rounding is none of `ROUNDINGS`, or low is above high.
    """
    if rounding not in ROUNDINGS:
        raise QuantizationError(f"rounding must be {' or '.join(ROUNDINGS)}, not {rounding!r}")
    if low > high:
        raise QuantizationError(f"the low end of a grid must be at most {high}, not {low}")
    return _computed(x, scale, zero_point, low, high, rounding)


def _computed(
    x: torch.Tensor,
    scale: torch.Tensor,
    zero_point: torch.Tensor,
    low: int,
    high: int,
    rounding: str,
) -> torch.Tensor:
    rows = _rows(x, scale, zero_point)
    if rows is None:
        return by_definition(x, scale, zero_point, low, high, rounding)
    values, scales, zeros = rows
    out = torch.empty_like(x, memory_format=_layout(x))
    ends = (float(low), float(high))
    into = _lying(out).numpy().reshape(values.shape)
    fused.forward(values, scales, zeros, ends, rounding == "half_even", into)
    return out


class _InTraining(torch.autograd.Function):
    """As the operator, without what calling one from Python costs; learned numbers are apart."""

    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        learned_scale: torch.Tensor | None,
        learned_zero: torch.Tensor | None,
        scale: torch.Tensor,
        zero_point: torch.Tensor,
        grid: tuple[int, int, str],
        factor: float,
    ) -> torch.Tensor:
        ctx.save_for_backward(x, scale, zero_point)
        ctx.grid, ctx.factor = grid, factor
        ctx.shapes = [None if one is None else one.shape for one in (learned_scale, learned_zero)]
        return _computed(x, scale, zero_point, *grid)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[torch.Tensor | None, ...]:
        x, scale, zero_point = ctx.saved_tensors
        wanted = ctx.needs_input_grad[1:3]
        found = _gradients(x, scale, zero_point, gradients[0], ctx.grid, any(wanted))
        learned = [
            one.reshape(shape) * ctx.factor if want and one is not None else None
            for one, shape, want in zip(found[1:], ctx.shapes, wanted, strict=True)
        ]
        return (found[0], *learned, None, None, None, None)


def in_training(
    x: torch.Tensor,
    learned: tuple[torch.Tensor | None, torch.Tensor | None],
    used: tuple[torch.Tensor, torch.Tensor],
    grid: tuple[int, int, str],
    factor: float,
) -> torch.Tensor:
    """Compute the very numbers of `fake_quantize`, for training, where every call counts.

    Args:
        x: what is rounded.
        learned: parameters, or None, that get the gradients of scale and zero point.
        used: scale and zero point, made of these in any way.
        grid: low, high and rounding.
        factor: times which the learned ones get their gradients.
    """
    return _apply(x, *learned, *used, grid, factor)


#: torch leaves it without types.
_apply: Callable[..., torch.Tensor] = _InTraining.apply


def by_definition(
    x: torch.Tensor,
    scale: torch.Tensor,
    zero_point: torch.Tensor,
    low: int,
    high: int,
    rounding: str,
) -> torch.Tensor:
    """Compute the operator one step at a time, on any device and of any float type."""
    code = rounded(x / scale, rounding) + zero_point
    return scale * (code.clamp(low, high) - zero_point)


def rounded(v: torch.Tensor, rounding: str) -> torch.Tensor:
    """Round to integers; halves up are decided exactly, which `floor(v + 0.5)` does not do."""
    if rounding == "half_even":
        return torch.round(v)
    down = torch.floor(v)
    return down + (v - down >= 0.5).to(v.dtype)


@fake_quantize.register_fake
def _(x: torch.Tensor, *_grid: Any) -> torch.Tensor:
    return torch.empty_like(x, memory_format=_layout(x))


def _remember(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:  # noqa: ARG001
    x, scale, zero_point, low, high, rounding = inputs
    ctx.save_for_backward(x, scale, zero_point)
    ctx.grid = (low, high, rounding)


def _backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
    x, scale, zero_point = ctx.saved_tensors
    learned = ctx.needs_input_grad[1] or ctx.needs_input_grad[2]
    found = _gradients(x, scale, zero_point, gradient, ctx.grid, learned)
    return (*found, None, None, None)


torch.library.register_autograd("intaglio::fake_quantize", _backward, setup_context=_remember)


def _gradients(
    x: torch.Tensor,
    scale: torch.Tensor,
    zero_point: torch.Tensor,
    gradient: torch.Tensor,
    grid: tuple[int, int, str],
    learned: bool,
) -> tuple[torch.Tensor | None, ...]:
    low, high, rounding = grid
    rows = _rows(x, scale, zero_point)
    if rows is None:
        return gradients_by_definition(x, scale, zero_point, gradient, grid)
    values, scales, zeros = rows
    layout = _layout(x)
    given = _lying(gradient.contiguous(memory_format=layout)).numpy().reshape(values.shape)
    out = torch.empty_like(x, memory_format=layout)
    into, ends = _lying(out).numpy().reshape(values.shape), (float(low), float(high))
    fused.backward(values, given, scales, zeros, ends, into)
    if not learned:
        return out, None, None
    sums = np.empty((2, len(scales)))
    fused.sums(values, given, scales, zeros, ends, rounding == "half_even", sums)
    of_scale, of_zero = torch.from_numpy(sums.astype(np.float32))
    return out, of_scale.reshape(scale.shape), _shaped(of_zero, zero_point)


def gradients_by_definition(
    x: torch.Tensor,
    scale: torch.Tensor,
    zero_point: torch.Tensor,
    gradient: torch.Tensor,
    grid: tuple[int, int, str],
) -> tuple[torch.Tensor, ...]:
    """Compute the gradients of x, scale and zero point one step at a time, on any device."""
    low, high, rounding = grid
    v = x / scale
    bottom, top = low - zero_point, high - zero_point
    inside = (v >= bottom) & (v <= top)
    moved = torch.where(v < bottom, bottom, torch.where(v > top, top, rounded(v, rounding) - v))
    zero = torch.zeros_like(gradient)
    return (
        torch.where(inside, gradient, zero),
        (gradient * moved).sum_to_size(scale.shape),
        (torch.where(inside, zero, gradient) * -scale).sum_to_size(zero_point.shape),
    )


def _layout(x: torch.Tensor) -> torch.memory_format:
    """Return how the result of a tensor lies in memory: as it does, where it has no gaps."""
    by_pixels = not x.is_contiguous() and x.is_contiguous(memory_format=torch.channels_last)
    return torch.channels_last if by_pixels else torch.contiguous_format


def _lying(x: torch.Tensor) -> torch.Tensor:
    """Return a tensor without gaps with its axes as they lie in memory; the first stays first."""
    return x if x.is_contiguous() else x.permute(0, 2, 3, 1)


def _shaped(sums: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Return sums for each row in the shape of what they belong to, which may be one number."""
    return (
        sums.reshape(like.shape) if sums.numel() == like.numel() else sums.sum().reshape(like.shape)
    )


def _rows(
    x: torch.Tensor, scale: torch.Tensor, zero_point: torch.Tensor
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Return x as rows that share a scale, with their scales and zero points.

    None where the fast path cannot go: another device or type, scales that lie otherwise.
    """
    tensors = (x, scale, zero_point)
    if any(t.device.type != "cpu" or t.dtype != torch.float32 for t in tensors) or not x.numel():
        return None
    count = scale.numel()
    channels = (x.shape[0], *(1,) * (x.ndim - 1)) if x.ndim else ()
    if count > 1 and scale.shape != channels:
        return None
    if zero_point.numel() > 1 and zero_point.shape != scale.shape:
        return None
    lying = _lying(x.detach().contiguous(memory_format=_layout(x)))
    zeros = zero_point.detach().expand(scale.shape) if count > 1 else zero_point.detach()
    return (
        lying.numpy().reshape(count, -1),
        scale.detach().contiguous().numpy().reshape(-1),
        np.ascontiguousarray(zeros.contiguous().numpy().reshape(-1)),
    )
