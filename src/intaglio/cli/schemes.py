# SPDX-License-Identifier: Apache-2.0
"""The arguments that say what is quantised how, and how they are read."""

from __future__ import annotations

import argparse
from dataclasses import replace

from intaglio.flow import Scheme
from intaglio.quantize import estimators
from intaglio.quantize.scheme_file import override_of, read_scheme

#: Arguments that stand for a field of a scheme by the same name.
FIELDS = ("granularity", "estimator", "weight_estimator", "rounding")
TYPES = ("weights", "activations")
FLAGS = ("equalize", "correct_bias")


def add_scheme(
    parser: argparse.ArgumentParser, default: str = "int8", *, types: bool = True
) -> None:
    """Add the scheme and what may differ from it; without types where these are swept."""
    known = "int8, pow2, affine8, codebook4, vitis, like w4a4, or a .toml or .json file"
    parser.add_argument(
        "--scheme", default=default, metavar="NAME|FILE", help=f"{known} (default {default})"
    )
    parser.add_argument("--granularity", choices=["per_tensor", "per_channel"])
    if types:
        parser.add_argument("--weights", metavar="TYPE", help="e.g. s8n, s4n, s1 for -1 and +1")
        parser.add_argument("--activations", metavar="TYPE", help="e.g. u8, u4")
    parser.set_defaults(types=types)
    names = list(estimators())
    parser.add_argument("--estimator", choices=names, help="what finds ranges of activations")
    parser.add_argument("--weight-estimator", choices=names, help="what finds those of weights")
    roundings = ["nearest", "half_away", "adaround", "gptq"]
    parser.add_argument("--rounding", choices=roundings, help="how weights become codes")
    parser.add_argument(
        "--equalize", action="store_true", default=None, help="even out channels between layers"
    )
    parser.add_argument(
        "--correct-bias",
        action="store_true",
        default=None,
        help="take out each channel's mean error",
    )
    parser.add_argument(
        "--layer",
        action="append",
        default=[],
        metavar="PATTERN:FIELD=VALUE,..",
        help="what is otherwise for layers by name, e.g. 'c1*:weights=s8n,activations=u8'",
    )


def chosen_scheme(arguments: argparse.Namespace) -> Scheme:
    """Return the scheme that the arguments say.

    Raises:
        QuantizationError: there is no such scheme, or a field is not one of its allowed values.
    """
    names = (*FIELDS, *FLAGS, *(TYPES if arguments.types else ()))
    given = {name: getattr(arguments, name) for name in names}
    layers = tuple(override_of(text) for text in arguments.layer)
    scheme = read_scheme(arguments.scheme)
    changes = {name: value for name, value in given.items() if value is not None}
    return replace(scheme, **changes, layers=(*scheme.layers, *layers))
