# SPDX-License-Identifier: Apache-2.0
"""The chain of proof starts here: exact rationals and Python integers against numerics."""
