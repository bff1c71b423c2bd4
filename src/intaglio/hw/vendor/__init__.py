# SPDX-License-Identifier: Apache-2.0
"""Leaf modules that name a family's own cells, each with the ports of its portable twin."""
