# SPDX-License-Identifier: Apache-2.0
"""The safety rule: whatever a policy wants, the deadline is kept while the safe mode can be had.

The safe mode is the fastest size at list price. A choice is admitted only if, were the machine
that it rents taken away at the end of the slot with all its unsaved work, the safe mode started
then would still be in time; a checkpoint at the end of the slot is asked for where that makes the
difference. So the safe mode can always be started in time, or runs already. What the rule rests on
is that the safe mode is always there; where it is not, a deadline is a best effort.
"""

from __future__ import annotations

from intaglio.plan.market import LIST
from intaglio.plan.state import IDLE, View


def guarded(view: View, choice: int) -> tuple[int, bool]:
    """Return the choice if it is admitted, else the safe mode; and whether the slot must save."""
    if view.safe is None or admitted(view, choice, saving=False):
        return choice, False
    if choice != IDLE and view.modes[choice].kind != LIST and admitted(view, choice, saving=True):
        return choice, True
    return view.safe, False


def admitted(view: View, choice: int, *, saving: bool) -> bool:
    """Return whether the deadline can be kept whatever happens after a slot of that choice."""
    safe = view.safe
    if safe is None or choice == safe == view.running:
        return True
    stays = choice == view.running and choice != IDLE
    left = view.work - view.saved if stays else view.left_if_stopped
    if choice != IDLE and (saving or view.modes[choice].kind == LIST):
        unsaved = view.gain(choice, fresh=not stays) + (view.unsaved if stays else 0)
        left -= max(0, unsaved - view.loss_of_saving(choice))
    return view.needed(safe, left) <= view.left - view.slot
