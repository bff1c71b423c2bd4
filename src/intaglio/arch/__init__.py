# SPDX-License-Identifier: Apache-2.0
"""Architectures: how a program becomes a design on a device."""
