# SPDX-License-Identifier: Apache-2.0
"""Networks to train: one a file, each a plain `torch.nn.Module`."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from intaglio.errors import IntaglioError

if TYPE_CHECKING:
    from torch import nn

#: Classifiers by the names of their files: the class, and whether it takes a number of classes.
NETWORKS: Mapping[str, tuple[str, bool]] = MappingProxyType(
    {
        "cnv": ("Cnv", False),
        "lenet5": ("LeNet5", False),
        "mobilenet": ("MobileNet", False),
        "nin": ("Nin", True),
        "resnet8": ("ResNet8", False),
        "sign_cnn": ("SignCnn", True),
    }
)


def network(name: str, classes: int, seed: int) -> nn.Module:
    """Return a network of ours by its name, or what a function `module:function` returns.

    Networks that always give ten scores stay as they are.

    Raises:
        IntaglioError: there is no such network, module or function, or it returns no module.
    """
    from torch import nn

    if name in NETWORKS:
        class_, chooses = NETWORKS[name]
        make = getattr(importlib.import_module(f"{__name__}.{name}"), class_)
        made: nn.Module = make(classes, seed) if chooses else make(seed)
        return made
    module, _, function = name.partition(":")
    if not function:
        raise IntaglioError(
            f"a network must be one of {', '.join(NETWORKS)}, or module:function, not {name!r}"
        )
    try:
        found = getattr(importlib.import_module(module), function)()
    except (ImportError, AttributeError, TypeError) as error:
        raise IntaglioError(f"{name} must be a function that can be called: {error}") from None
    if not isinstance(found, nn.Module):
        raise IntaglioError(f"{name} must return a torch module, not {type(found).__name__}")
    return found
