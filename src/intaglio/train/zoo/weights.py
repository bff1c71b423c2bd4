# SPDX-License-Identifier: Apache-2.0
"""Weights to start from, decided by a seed alone."""

from __future__ import annotations

import torch
from torch import nn


def draw_weights(network: nn.Module, seed: int) -> None:
    """Draw every layer's weights by He's rule for ReLU and set every bias to zero."""
    generator = torch.Generator().manual_seed(seed)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu", generator=generator)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
