# SPDX-License-Identifier: Apache-2.0
"""Searches over designs: exact where the problem has structure."""
