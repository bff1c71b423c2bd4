# SPDX-License-Identifier: Apache-2.0
"""The graph: typed values, operators, loop nests, rewriting, a text form. numpy only."""
