# SPDX-License-Identifier: Apache-2.0
"""A network of one layer that is known by its sizes alone: its cycles do not ask for weights."""

from __future__ import annotations

import numpy as np

from intaglio.arch.systolic.layers import Layer, Network, Pair, Part, Scale, Shape, Term
from intaglio.ir.graph import Value
from intaglio.ir.types import TensorType
from intaglio.numerics.types import IntType

#: What is read and what is made: a byte an element.
ELEMENT = IntType(8, signed=False)


def plain_layer(name: str, image: Shape, kernel: Pair, filters: int, stride: Pair) -> Network:
    """Return a convolution with bias over an image that is padded already.

    Shapes: image (H, W, C); the result has a pixel wherever the whole kernel fits.
    """
    height, width, channels = image
    shape = (
        (height - kernel[0]) // stride[0] + 1,
        (width - kernel[1]) // stride[1] + 1,
        filters,
    )
    size = filters * kernel[0] * kernel[1] * channels
    # no two words alike, as words that all are equal would be loaded once
    weight = (np.arange(size) % 251 - 125).astype(np.int8).reshape(filters, *kernel, channels)
    term = Term("image", image, ELEMENT, weight, stride=stride)
    layer = Layer(
        name,
        name,
        shape,
        ELEMENT,
        (term,),
        np.zeros(filters, np.int64),
        Scale.identity(ELEMENT),
    )
    source = Value("image", TensorType(image, ELEMENT))
    return Network(name, source, (layer,), {"image": (Part("image", channels),)})
