# SPDX-License-Identifier: Apache-2.0
"""Arguments that several commands share, and how they are read."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

from intaglio.devices import device, devices
from intaglio.devices.description import Device, load_device
from intaglio.errors import ModelError
from intaglio.flow import load
from intaglio.ir.graph import Graph

DEFAULT_DEVICE = "ecp5-85f"


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the model file and its open dimensions."""
    parser.add_argument(
        "model",
        metavar="MODEL",
        type=Path,
        help="an ONNX file, or a .trained file of intaglio train",
    )
    parser.add_argument(
        "--shape",
        metavar="NAME=D,D,..",
        action="append",
        default=[],
        help="size of an input's frame where the file leaves it open, e.g. image=1,28,28",
    )


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add the device."""
    known = ", ".join(devices())
    parser.add_argument(
        "--device",
        metavar="NAME",
        help=f"one of {known}, or a .toml file of your own (default {DEFAULT_DEVICE})",
    )


def add_data(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Add the data and how much of it."""
    parser.add_argument(
        "--data",
        metavar="DATA",
        required=required,
        help="a .npz (images, labels), .npy or .csv file, a folder of images or of IDX files, "
        "module:function, or the word digits",
    )
    parser.add_argument("-n", dest="count", metavar="N", type=int, help="use the first N images")


def shapes(texts: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """Read `NAME=1,28,28`.

    Raises:
        ModelError: a text is not of that form.
    """
    found = {}
    for text in texts:
        name, _, sizes = text.rpartition("=")
        try:
            found[name] = tuple(int(size) for size in sizes.split(","))
        except ValueError:
            raise ModelError(f"--shape must be like image=1,28,28, not {text!r}") from None
        if not name or any(size < 1 for size in found[name]):
            raise ModelError(f"--shape must be like image=1,28,28, not {text!r}")
    return found


def positive(text: str) -> float:
    """Read a number above zero.

    Raises:
        ArgumentTypeError: it is not one.
    """
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"must be a number above 0, not {text!r}")
    return number


def share(text: str) -> float:
    """Read a share of a whole.

    Raises:
        ArgumentTypeError: it is not above 0 and at most 1.
    """
    number = positive(text)
    if number > 1:
        raise argparse.ArgumentTypeError(f"must be above 0 and at most 1, not {text!r}")
    return number


def model(arguments: argparse.Namespace) -> Graph:
    """Load the model that the arguments name."""
    return load(arguments.model, shapes=shapes(arguments.shape))


def chosen_device(arguments: argparse.Namespace) -> Device:
    """Return the device that the arguments name."""
    name = arguments.device or DEFAULT_DEVICE
    return load_device(name) if name.endswith(".toml") else device(name)
