# SPDX-License-Identifier: Apache-2.0
"""The hardware library: one block is a SystemVerilog module and what Python knows of it."""
