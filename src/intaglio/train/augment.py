# SPDX-License-Identifier: Apache-2.0
"""Small random distortions of training images, so that a small data set does for a network."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch.nn import functional


@dataclass(frozen=True)
class Jitter:
    """Shift, turn, stretch and slant each image by its own uniform random amounts, up to these.

    Where an image moves away, zeros follow. `mirror` swaps left and right of half of the images.
    """

    shift_pixels: float = 2.0
    turn_degrees: float = 10.0
    stretch: float = 0.1
    slant: float = 0.1
    mirror: bool = False

    def __call__(self, images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return distorted images.

        Shapes: images [N, C, H, W]; result the same.
        """
        count, _, height, width = images.shape
        amounts = (torch.rand(count, 6, generator=generator) * 2 - 1).to(images.device)
        turn = amounts[:, 0] * math.radians(self.turn_degrees)
        wide, high = 1 + self.stretch * amounts[:, 1], 1 + self.stretch * amounts[:, 2]
        slant = self.slant * amounts[:, 3]
        cos, sin = torch.cos(turn), torch.sin(turn)
        # affine_grid wants, for a result pixel, where in -1..1 its source pixel lies.
        right = 2 * self.shift_pixels / width * amounts[:, 4]
        down = 2 * self.shift_pixels / height * amounts[:, 5]
        rows = torch.stack(
            [
                wide * cos,
                wide * (slant * cos - sin),
                right,
                high * sin,
                high * (slant * sin + cos),
                down,
            ],
            dim=1,
        )
        rows = rows.reshape(-1, 2, 3)
        if self.mirror:
            mirrored = torch.rand(count, generator=generator) < 0.5
            sides = torch.where(mirrored, -1.0, 1.0).to(images.device)
            rows = rows * torch.stack([sides, torch.ones_like(sides)], 1)[:, :, None]
        grid = functional.affine_grid(rows, list(images.shape), align_corners=False)
        return functional.grid_sample(images, grid, align_corners=False)
