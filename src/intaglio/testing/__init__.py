# SPDX-License-Identifier: Apache-2.0
"""The conformance suite: what every operator and device must hold to, ours and yours.

    from intaglio.testing import Example, check_operator, check_operators

    def test_my_operator(tmp_path):
        check_operator(Example(MyOperator(3), (TensorType((4, 4, 2), IntType(8, True)),)), tmp_path)

A check says nothing when all is well, and raises VerificationError with what is wrong when not.
"""

from __future__ import annotations

from intaglio.testing.devices import check_device
from intaglio.testing.example import Example
from intaglio.testing.operators import check_operator, check_operators

__all__ = ["Example", "check_device", "check_operator", "check_operators"]
