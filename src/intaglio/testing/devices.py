# SPDX-License-Identifier: Apache-2.0
"""What every device must hold to: its numbers fit the hardware library's own."""

from __future__ import annotations

import re

import numpy as np

from intaglio.arch.dataflow import capacity
from intaglio.devices.description import Device
from intaglio.devices.family import family
from intaglio.errors import VerificationError
from intaglio.explore.folding import best_throughput
from intaglio.hw.multiplier import PORT_BITS
from intaglio.ir.constant import Constant
from intaglio.ir.graph import Graph, Node, Program, Value
from intaglio.ir.types import Quantization, TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.conv2d import Conv2d

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]*")


def check_device(device: Device) -> None:
    """Check that a device can be designed for.

    Its name can be typed; its family is known and takes the widest product of the hardware library;
    its multipliers are those the family counts in, and the forms of its block RAMs are in order;
    every number of cells has a source; a small network folds and fits.

    Raises:
        VerificationError: one of it does not hold.
        ModelError: its family is not known.
        InfeasibleError: the small network does not fit.
    """
    if not _NAME.fullmatch(device.name):
        raise VerificationError(
            f"a device's name must be small letters, digits, dots and dashes, not {device.name!r}"
        )
    for kind in ("lut", "ff", "dsp", "bram", "pins"):
        if kind not in dict(device.sources):
            raise VerificationError(f"{device.name}: {kind} must have a source; it has none")
    made = family(device.family)
    made.multiplier(PORT_BITS, PORT_BITS)
    units = [(wide, narrow) for wide, narrow, dsp, *_ in made.multipliers if dsp == 1]
    if device.dsp_width not in units:
        raise VerificationError(
            f"{device.name}: dsp_width must be one that {made.name} counts multipliers in, "
            f"{units}, not {device.dsp_width}"
        )
    if list(device.bram_geometries) != sorted(device.bram_geometries, reverse=True):
        raise VerificationError(
            f"{device.name}: the forms of a block RAM must be in order, the widest first, "
            f"not {device.bram_geometries}"
        )
    found = best_throughput(small_program(), device)
    if not found.resources.fits(capacity(device)):
        raise VerificationError(f"{device.name}: a folding must fit, not need {found.resources}")


def small_program() -> Program:
    """Return a convolution of 3x3 over two channels of 8x8."""
    element = IntType(8, signed=True)
    weight = Constant(np.ones((4, 3, 3, 2), dtype=np.int64), element)
    bias = Constant(np.zeros(4, dtype=np.int64), element)
    node = Node("y", Conv2d(), ("x", "weight", "bias"))
    graph = Graph(
        "small",
        (Value("x", TensorType((8, 8, 2), element)),),
        (node,),
        ("y",),
        {"weight": weight, "bias": bias},
    )
    return Program(graph, dict.fromkeys(("x", "y"), Quantization((1.0,))))
