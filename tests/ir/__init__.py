# SPDX-License-Identifier: Apache-2.0
"""The graph, its text, its execution and its rewriting."""
