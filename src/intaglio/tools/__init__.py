# SPDX-License-Identifier: Apache-2.0
"""External programs, one file each. Nothing outside this package starts a process."""
