# SPDX-License-Identifier: Apache-2.0
"""What each ONNX operator becomes: one short function an operator, in tables by concept.

To add one: its function and its line in `OPERATORS` of the module it belongs to. Whatever a
function does not know exactly it refuses with an UnsupportedError that says why; it never guesses.

Source: the operator specifications of ONNX, opset 7 to 25.
"""

from __future__ import annotations

from intaglio.frontend.onnx.call import Call, Operand, Operators, Result
from intaglio.frontend.onnx.operators import (
    pointwise,
    products,
    quantizers,
    resize,
    shapes,
    windows,
)

__all__ = ["OF_CONSTANTS", "OPERATORS", "Call", "Operand", "Result"]

#: Those of `OPERATORS` that also read operands which are all known.
OF_CONSTANTS = quantizers.OF_CONSTANTS

#: Keyed by domain ("" is the standard one) and operator type.
OPERATORS: Operators = {
    **windows.OPERATORS,
    **products.OPERATORS,
    **pointwise.OPERATORS,
    **shapes.OPERATORS,
    **resize.OPERATORS,
    **quantizers.OPERATORS,
}
