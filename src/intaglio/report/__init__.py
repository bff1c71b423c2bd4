# SPDX-License-Identifier: Apache-2.0
"""One page about a network, its integers and its hardware; works offline, with nothing beside it."""
