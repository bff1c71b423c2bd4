# SPDX-License-Identifier: Apache-2.0
"""The shipped conformance suite, run over everything that is registered."""
