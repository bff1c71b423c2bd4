# SPDX-License-Identifier: Apache-2.0
"""Front ends against the models they read."""
