# SPDX-License-Identifier: Apache-2.0
"""Networks that were quantised by somebody else, or in training: their integers, exactly."""

from __future__ import annotations

from intaglio.quantize.declared.complete import completed
from intaglio.quantize.declared.program import has_quantizers, integers

__all__ = ["completed", "has_quantizers", "integers"]
