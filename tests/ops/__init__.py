# SPDX-License-Identifier: Apache-2.0
"""Every operator against plain loops over Python integers."""
