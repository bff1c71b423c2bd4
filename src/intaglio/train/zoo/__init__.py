# SPDX-License-Identifier: Apache-2.0
"""Networks to train: one a file, each a plain `torch.nn.Module`."""
