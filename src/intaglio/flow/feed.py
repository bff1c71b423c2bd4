# SPDX-License-Identifier: Apache-2.0
"""Calibration data from a function of the user's: `module:function`, called once for each batch.

The function is given the number of the call, from 0 on, and returns a batch: an array, or a mapping
from the input's name to one, as tools that calibrate this way have it. The module is looked for in
the current folder first.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from intaglio.errors import QuantizationError

#: Calls of the function where nothing else is said.
ITERATIONS = 100
_FORM = re.compile(r"([A-Za-z_][\w.]*):([A-Za-z_]\w*)")


def is_feed(source: str) -> bool:
    """Tell whether a text names a function."""
    return _FORM.fullmatch(source) is not None and not Path(source).exists()


def read_feed(source: str, iterations: int = ITERATIONS) -> list[np.ndarray]:
    """Return the batches of a function.

    Raises:
        QuantizationError: there is no such function, it fails, or what it returns is no batch.
    """
    if iterations < 1:
        raise QuantizationError(f"the number of iterations must be 1 or more, not {iterations}")
    function = _function(source)
    found: list[np.ndarray] = []
    for number in tqdm(range(iterations), source, leave=False, delay=2, unit="batch"):
        try:
            batch = function(number)
        except Exception as error:  # noqa: BLE001 - it is the user's, and may raise anything
            kind = type(error).__name__
            raise QuantizationError(
                f"{source}({number}) must return a batch: {kind}: {error}"
            ) from None
        found.append(_array(f"{source}({number})", batch))
        if found[-1].shape[1:] != found[0].shape[1:]:
            raise QuantizationError(
                f"{source}({number}) must return frames of shape {found[0].shape[1:]}, as the "
                f"first call did, not {found[-1].shape[1:]}"
            )
    return found


def _function(source: str) -> Callable[[int], Any]:
    match = _FORM.fullmatch(source)
    module, name = match.groups() if match else (source, "")
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise QuantizationError(f"{source} must name a function that exists: {error}") from None
    finally:
        sys.path.remove(here)
    if not callable(found):
        raise QuantizationError(f"{source} must name a function, not {type(found).__name__}")
    return found


def _array(what: str, batch: Any) -> np.ndarray:
    if isinstance(batch, Mapping):
        if len(batch) != 1:
            raise QuantizationError(f"{what} must return one input's batch, not {len(batch)}")
        batch = next(iter(batch.values()))
    array = np.asarray(batch)
    if array.ndim < 2 or len(array) == 0 or array.dtype.kind not in "biuf":
        raise QuantizationError(
            f"{what} must return a batch of numbers, [N, *frame], not {array.dtype} of shape "
            f"{array.shape}"
        )
    return array
