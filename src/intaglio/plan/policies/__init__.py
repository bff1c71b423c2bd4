# SPDX-License-Identifier: Apache-2.0
"""Policies: one file each; those of other packages by entry points of `intaglio.policies`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from intaglio.errors import IntaglioError
from intaglio.plan.policies.cheapest import Cheapest
from intaglio.plan.policies.fixed import Fixed
from intaglio.plan.policies.policy import Policy
from intaglio.plan.policies.predictive import Predictive
from intaglio.plan.policies.reactive import Reactive
from intaglio.plan.policies.uniform import Uniform
from intaglio.plugins import registered

BUILT_IN: tuple[Policy, ...] = (Fixed(), Cheapest(), Uniform(), Reactive(), Predictive())


def policies() -> Mapping[str, Policy]:
    """Return every policy by name: ours, then those of `intaglio.policies`.

    Raises:
        IntaglioError: an outside package takes a name that is in use.
    """
    ours = {policy.name: policy for policy in BUILT_IN}
    return registered("intaglio.policies", ours, IntaglioError)


def chosen(names: Sequence[str]) -> tuple[Policy, ...]:
    """Return policies by name.

    Raises:
        IntaglioError: there is none of that name; the text lists those there are.
    """
    known = policies()
    for name in names:
        if name not in known:
            raise IntaglioError(f"a policy must be one of {', '.join(known)}, not {name!r}")
    return tuple(known[name] for name in names)
