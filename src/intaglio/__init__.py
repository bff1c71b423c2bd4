# SPDX-License-Identifier: Apache-2.0
"""Intaglio engraves integer networks in FPGA fabric."""
