# SPDX-License-Identifier: Apache-2.0
"""Passes change graphs, not what they mean."""
