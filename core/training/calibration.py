"""Honest confidence and refusal: both fitted on validation samples that taught nothing."""

import numpy as np
import torch
import torch.nn.functional as F
from scipy.optimize import minimize_scalar
from torch import Tensor

BINS = 15  # as in Guo et al. 2017, so that figures compare
REFUSED_SHARE = 0.0045  # of real symbols in validation: just under the 0.5 % that unseen ones may cost


def fit_temperature(logits: Tensor, labels: Tensor) -> float:
    """The temperature that makes the softmax of `logits / T` likeliest (temperature scaling, Guo et al. 2017)."""

    def loss(log_temperature: float) -> float:
        return F.cross_entropy(logits / float(np.exp(log_temperature)), labels).item()

    return float(np.exp(minimize_scalar(loss, bounds=(np.log(0.05), np.log(20)), method="bounded").x))


def expected_calibration_error(probabilities: Tensor, labels: Tensor) -> float:
    """Mean distance between confidence and accuracy over `BINS` equal-width bins of confidence, weighted by size."""
    confidence, answer = probabilities.max(dim=1)
    right = (answer == labels).float()
    bins = (confidence * BINS).long().clamp(max=BINS - 1)
    size = torch.bincount(bins, minlength=BINS)
    gaps = torch.zeros(BINS).scatter_add(0, bins, confidence - right)
    return float(gaps.abs().sum() / size.sum())


def refusal_threshold(scores: Tensor, share: float = REFUSED_SHARE) -> float:
    """The score below which `share` of real symbols fall; `scores` are log-sum-exps of logits, `(N,)`."""
    return float(torch.quantile(scores.double(), share))
