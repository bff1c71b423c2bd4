# SPDX-License-Identifier: Apache-2.0
"""The normative integer arithmetic: numpy only. Its text is docs/spec/numerics.md."""
