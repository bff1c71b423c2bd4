# SPDX-License-Identifier: Apache-2.0
"""What each ATen operator becomes: one short function an operator, in tables by concept.

To add one: its function and its line in `OPERATORS` of the module it belongs to. Whatever a
function does not know exactly it refuses with an UnsupportedError that says why; it never guesses.

Source: the signatures in ATen's native_functions.yaml.
"""

from __future__ import annotations

from intaglio.frontend.aten import pointwise, products, quantizers, shapes, windows
from intaglio.frontend.aten.call import Call, Operand, Operators, Result

__all__ = ["OPERATORS", "Call", "Operand", "Result"]

#: Keyed by operator without overload.
OPERATORS: Operators = {
    **windows.OPERATORS,
    **products.OPERATORS,
    **quantizers.OPERATORS,
    **pointwise.OPERATORS,
    **shapes.OPERATORS,
}
