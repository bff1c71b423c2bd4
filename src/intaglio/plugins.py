# SPDX-License-Identifier: Apache-2.0
"""What other packages add by entry points, beside what is built in: one kind, one group."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import TypeVar

from intaglio.errors import IntaglioError

Member = TypeVar("Member")


def registered(
    group: str, built_in: Mapping[str, Member], refusal: type[IntaglioError]
) -> dict[str, Member]:
    """Return members by name: those built in, then those of an entry point group.

    Raises:
        IntaglioError: of the type `refusal`; an outside package takes a name that is in use.
    """
    found = dict(built_in)
    for entry in entry_points(group=group):
        if entry.name in found:
            raise refusal(f"the name {entry.name!r} must be registered once, not twice")
        found[entry.name] = entry.load()
    return found
