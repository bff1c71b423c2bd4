# SPDX-License-Identifier: Apache-2.0
"""Floats against the integers made from them."""
