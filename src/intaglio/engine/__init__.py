# SPDX-License-Identifier: Apache-2.0
"""Programs at the speed of the machine: compiled integer kernels, equal to the reference.

The reference is `ir.execute`: each operator's own `evaluate`. An engine runs the same integers on
kernels compiled once for this machine, and is compared with the reference when it is made. Where
it cannot run a program it says why, and the reference runs it.
"""

from __future__ import annotations

from intaglio.engine.engine import Engine, engine

__all__ = ["Engine", "engine"]
