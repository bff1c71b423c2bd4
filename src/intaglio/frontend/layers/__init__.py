# SPDX-License-Identifier: Apache-2.0
"""Layers as foreign models have them, each one function: it adds to a graph that is being built.

Shapes, axes and arrays are the source's, channels first where it has them so; here they are brought
into our order. What has no exact counterpart is refused with an UnsupportedError.
"""
