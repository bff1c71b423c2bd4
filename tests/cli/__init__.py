# SPDX-License-Identifier: Apache-2.0
"""Tests of the command line, in this process, on a small network."""
