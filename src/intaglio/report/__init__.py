# SPDX-License-Identifier: Apache-2.0
"""What is known about a network, to look at: short tables, and one page that works offline."""
