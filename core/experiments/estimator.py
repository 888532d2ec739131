"""`NetworkClassifier`: Inkling's networks and training as a scikit-learn classifier, as for `GridSearchCV`.

The same seed, samples and settings give the same network as a study's trial; a study with `folds` is such a grid
search that survives crashes.
"""

import math
from typing import Any, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor

from core.data import Samples
from core.experiments.setups import Setup, setup_of
from core.networks.base import build
from core.networks.spec import GLYPH_SIDE
from core.training.fit import EpochDone, Trainer, predict

MOST_FEATURES = GLYPH_SIDE**2
MOST_SEED = 2**31
NAMELESS = "mnist"  # a setup names a data set of glyphs; which one does not matter here


class NetworkClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A network for rows of pixels, `(N, F)` with F up to 784, row by row of a square picture.

    Pixels of type uint8 are intensities from 0 to 255, ink bright; all others are scaled so that the lowest number of
    the training rows becomes 0 and the highest 255. Pictures smaller than 28×28 are magnified by a whole number and
    framed in 0; a row that does not fill its square is filled up with 0. 784 uint8 pixels stay as they are.

    A parameter that is None stays as the network's recipe has it. The dimensions of the network "cnn" (`conv_layers`
    to `first_layer`) are for that network alone. `random_state`: a whole number, a `RandomState` or None (another
    network each time). After `fit`: `classes_`, `network_`, `history_` (the epochs' training loss and accuracy).
    """

    def __init__(
        self,
        network: str = "cnn",
        *,
        conv_layers: int | None = None,
        filters: int | tuple[int, ...] | None = None,
        filter_size: int | None = None,
        pool_size: int | None = None,
        pool_place: str | None = None,
        activation: str | None = None,
        dense_nodes: int | None = None,
        second_dropout: float | None = None,
        batch_norm: bool | None = None,
        first_layer: str | None = None,
        dropout: float | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        learning_rate: float | None = None,
        optimizer: str | None = None,
        momentum: float | None = None,
        weight_decay: float | None = None,
        schedule: str | None = None,
        loss: str | None = None,
        augmentation: str | None = None,
        averaging: float | None = None,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.network = network
        self.conv_layers = conv_layers
        self.filters = filters
        self.filter_size = filter_size
        self.pool_size = pool_size
        self.pool_place = pool_place
        self.activation = activation
        self.dense_nodes = dense_nodes
        self.second_dropout = second_dropout
        self.batch_norm = batch_norm
        self.first_layer = first_layer
        self.dropout = dropout
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.optimizer = optimizer
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.schedule = schedule
        self.loss = loss
        self.augmentation = augmentation
        self.averaging = averaging
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Self:
        """Trains a network from its first step; raises `ValueError` for rows that are none, `InklingError` otherwise.

        Torch's number of threads and its random numbers are as before afterwards.
        """
        X, y = validate_data(self, X, y)
        check_classification_targets(y)
        if X.shape[1] > MOST_FEATURES:
            raise ValueError(f"A picture has {MOST_FEATURES} pixels at most, not {X.shape[1]:,}.")
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"A classifier needs two classes to tell apart; there is one class: {self.classes_[0]!r}.")
        self._learn_range(X)
        names = tuple(map(str, range(len(self.classes_))))
        samples = Samples("rows", "train", self._glyphs(X), torch.from_numpy(labels.astype(np.int64)), names)
        seed = self.random_state
        if not isinstance(seed, int | np.integer):
            seed = check_random_state(seed).randint(MOST_SEED)
        config = self._setup(int(seed)).config
        threads = torch.get_num_threads()
        with torch.random.fork_rng(devices=[]):
            try:
                torch.manual_seed(config.seed)
                trainer = Trainer(build(config.spec(len(names))), samples, samples.take(torch.tensor([0])), config)
                self.history_ = [e.to_json() for e in trainer.run() if isinstance(e, EpochDone)]
            finally:
                torch.set_num_threads(threads)
        for figures in self.history_:  # measured on a single row, since a training wants something to measure
            del figures["test_loss"], figures["test_accuracy"]
        self.network_ = trainer.measured.eval()
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """`(N, C)`, the classes in the order of `classes_`."""
        shares: np.ndarray = self._logits(X).double().softmax(1).numpy()
        return shares

    def predict(self, X: Any) -> np.ndarray:
        logits = self._logits(X)
        found: np.ndarray = self.classes_[logits.argmax(1).numpy()]
        return found

    def _logits(self, X: Any) -> Tensor:
        check_is_fitted(self)
        X = validate_data(self, X, reset=False)
        empty = torch.zeros(len(X), dtype=torch.int64)
        logits = predict(self.network_, Samples("rows", "test", self._glyphs(X), empty, ()))
        assert logits is not None  # nobody stops this
        return logits

    def _setup(self, seed: int) -> Setup:
        given = {name: value for name, value in self.get_params().items() if value is not None}
        del given["network"]
        given.pop("random_state", None)
        setup = setup_of(NAMELESS, self.network, given | {"seed": seed})
        assert isinstance(setup, Setup)
        return setup

    def _learn_range(self, X: np.ndarray) -> None:
        self._low, self._high = (0.0, 255.0) if X.dtype == np.uint8 else (float(X.min()), float(X.max()))

    def _glyphs(self, X: np.ndarray) -> Tensor:
        """Rows → `(N, 28, 28) uint8`."""
        if X.dtype != np.uint8 or (self._low, self._high) != (0.0, 255.0):
            reach = (self._high - self._low) or 1.0
            X = np.rint(((X - self._low) / reach).clip(0, 1) * 255).astype(np.uint8)
        side = math.isqrt(X.shape[1] - 1) + 1
        pixels = np.pad(X, ((0, 0), (0, side**2 - X.shape[1]))).reshape(-1, side, side)
        larger = GLYPH_SIDE // side
        pixels = pixels.repeat(larger, 1).repeat(larger, 2)
        before = (GLYPH_SIDE - side * larger) // 2
        after = GLYPH_SIDE - side * larger - before
        return torch.from_numpy(np.ascontiguousarray(np.pad(pixels, ((0, 0), (before, after), (before, after)))))
