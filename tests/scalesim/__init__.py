# SPDX-License-Identifier: Apache-2.0
"""Tests of the profile that gives SCALE-Sim's numbers."""
