# SPDX-License-Identifier: Apache-2.0
"""Tests mirror src/intaglio: to find the test of a file, change the first folder."""
