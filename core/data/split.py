"""Which samples test, where a data set does not say so itself."""

import numpy as np

TEST_SHARE = 0.2
SEED = 0  # fixed: a data set's test part is the same for every training, whatever the training's own seed


def draw_test_part(labels: np.ndarray) -> np.ndarray:
    """`(N,) bool`: the test part, a fifth of each class drawn at random, at least one where the class has two."""
    chosen = np.zeros(len(labels), bool)
    rng = np.random.default_rng(SEED)
    for label in np.unique(labels):
        own = rng.permutation(np.flatnonzero(labels == label))
        chosen[own[: max(round(TEST_SHARE * len(own)), len(own) > 1)]] = True
    return chosen
