# SPDX-License-Identifier: Apache-2.0
"""The systolic architecture: one array, a list of instructions for each unit around it."""
