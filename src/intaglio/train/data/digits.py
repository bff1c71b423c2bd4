# SPDX-License-Identifier: Apache-2.0
"""The 1,797 handwritten digits that come inside scikit-learn, so no download: 8x8, values 0..16.

Source: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning
Repository, 1998: its test part.
"""

from __future__ import annotations

import numpy as np

from intaglio.errors import IntaglioError
from intaglio.train import require
from intaglio.train.data.dataset import Dataset

TEST_IMAGES = 500
#: Which images are test images: fixed for ever, or accuracies could not be compared.
SPLIT_SEED = 1797


def digits(size: int = 28) -> Dataset:
    """Return the digits, enlarged to size x size: 1,297 to train on and 500 to test on.

    Exactness: the split is the same on every machine and version of numpy.

    Raises:
        IntaglioError: the size is below 1.
        MissingToolError: scikit-learn is not installed.
    """
    if size < 1:
        raise IntaglioError(f"the size of digits must be 1 pixel or more, not {size}")
    require("sklearn", "scikit-learn", "the digits data set")
    from sklearn.datasets import load_digits

    source = load_digits()
    images = enlarge(np.asarray(source.images) / 16.0, size)[:, np.newaxis]
    labels = np.asarray(source.target, dtype=np.int64)
    # The raw words of a bit generator are promised never to change; its permutations are not.
    order = np.argsort(np.random.PCG64(SPLIT_SEED).random_raw(len(labels)), kind="stable")
    train, test = order[TEST_IMAGES:], order[:TEST_IMAGES]
    return Dataset("digits", images[train], labels[train], images[test], labels[test])


def enlarge(images: np.ndarray, size: int) -> np.ndarray:
    """Resample square images bilinearly, pixel centers at half steps, edges repeated.

    Shapes: images [N, S, S]; result [N, size, size] float32.
    """
    side = images.shape[-1]
    weights = np.zeros((size, side))
    position = np.clip((np.arange(size) + 0.5) * side / size - 0.5, 0, side - 1)
    below = np.floor(position).astype(np.int64)
    rows = np.arange(size)
    np.add.at(weights, (rows, below), 1 - (position - below))
    np.add.at(weights, (rows, np.minimum(below + 1, side - 1)), position - below)
    result: np.ndarray = weights @ images @ weights.T
    return result.astype(np.float32)
