# SPDX-License-Identifier: Apache-2.0
"""ONNX files: reading, refusing, and meaning what ONNX Runtime says."""
