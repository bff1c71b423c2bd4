# SPDX-License-Identifier: Apache-2.0
"""Every error Intaglio raises on purpose.

    IntaglioError                 exit status 2: bad usage or input
    ├── ModelError                a model file or graph that cannot be used as it is
    ├── QuantizationError         data or ranges from which no integers can be made
    ├── ArtifactError             a saved artifact that is not what it must be
    ├── InfeasibleError           exit status 1: the design asked for does not exist
    ├── VerificationError         exit status 1: two things that must be equal are not
    └── ToolError                 exit status 1: an external program failed
        └── MissingToolError      exit status 3: an external program is not installed

A message reads "<thing> must be <rule>, not <value>", then where, then what to do: one line.
"""

from __future__ import annotations

from typing import ClassVar


class IntaglioError(Exception):
    """Base of all errors a user can cause and mend; `exit_status` is what the command returns."""

    exit_status: ClassVar[int] = 2


class ModelError(IntaglioError):
    """A model file or graph cannot be used as it is."""


class QuantizationError(IntaglioError):
    """Data or ranges do not allow exact integers to be chosen."""


class ArtifactError(IntaglioError):
    """A saved artifact is damaged, of another kind, or of a schema this version cannot read."""


class InfeasibleError(IntaglioError):
    """The design asked for does not exist on that device; the text says by how much it misses."""

    exit_status = 1


class VerificationError(IntaglioError):
    """Two meanings that must be equal differ; the text names the first difference."""

    exit_status = 1


class ToolError(IntaglioError):
    """An external program failed; the text names its log."""

    exit_status = 1


class MissingToolError(ToolError):
    """An external program is not installed; the text says how to get it."""

    exit_status = 3
