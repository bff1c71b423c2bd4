# SPDX-License-Identifier: Apache-2.0
"""Training in few bits: quantizers of weights and activations, put into a network and frozen."""

from __future__ import annotations

from intaglio.train.quantized.fake_quantize import fake_quantize
from intaglio.train.quantized.prepare import (
    activation_quantizers,
    calibrate,
    frozen,
    latent_weights,
    prepare,
    weight_quantizers,
)
from intaglio.train.quantized.quantizer import Grid, Quantizer
from intaglio.train.quantized.scheme import METHODS, Override, QatScheme

__all__ = [
    "METHODS",
    "Grid",
    "Override",
    "QatScheme",
    "Quantizer",
    "activation_quantizers",
    "calibrate",
    "fake_quantize",
    "frozen",
    "latent_weights",
    "prepare",
    "weight_quantizers",
]
