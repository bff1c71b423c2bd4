# SPDX-License-Identifier: Apache-2.0
"""Design -> Bundle: one generated top level, the library as it is, images, bench, page."""
