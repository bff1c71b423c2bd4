# SPDX-License-Identifier: Apache-2.0
"""Tests of the operators of ONNX, by concept."""
