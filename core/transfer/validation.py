"""What a method really reaches: cross-validation, since accuracy on the letters that taught says nothing."""

from dataclasses import dataclass

import numpy as np
import torch
from sklearn.model_selection import StratifiedKFold
from torch import Tensor

from core.data import Samples
from core.networks.base import Network
from core.training.fit import predict
from core.transfer.methods import Taught, TransferConfig, teach

FOLDS = 5  # or as many as the rarest letter has samples


@dataclass(frozen=True, eq=False)
class CrossValidation:
    """Every letter's answer by a network that was taught without it."""

    logits: Tensor  # (N, C)
    labels: Tensor  # (N,)

    @property
    def right(self) -> np.ndarray:
        return (self.logits.argmax(1) == self.labels).numpy()

    @property
    def accuracy(self) -> float:
        return float(self.right.mean())


def cross_validate(source: Network, letters: Samples, config: TransferConfig) -> CrossValidation | None:
    """Stratified folds, each taught by the others with the same method; None where a letter has one sample only."""
    folds = min(FOLDS, int(torch.bincount(letters.labels, minlength=len(letters.classes)).min()))
    if folds < 2:
        return None
    logits = torch.zeros(len(letters), len(letters.classes))
    splitter = StratifiedKFold(folds, shuffle=True, random_state=config.seed)
    for taught, held_out in splitter.split(letters.labels, letters.labels):
        *_, last = teach(source, letters.take(torch.from_numpy(taught)), config)
        assert isinstance(last, Taught)
        answers = predict(last.network, letters.take(torch.from_numpy(held_out)))
        assert answers is not None  # nobody stops this
        logits[torch.from_numpy(held_out)] = answers
    return CrossValidation(logits, letters.labels)
