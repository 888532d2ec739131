"""Units of the classic methods: scikit-learn's decision trees and logistic regression, to hold networks against."""

import json
import time
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from core.data import Samples
from core.experiments.trainings import parts
from core.experiments.unit import Record, Unit, Watched

SHALLOW = 4  # levels: a tree grown to its end learns the training part by heart, a short one does not
STEPS = 1000  # of the logistic regression's solver; scikit-learn's 100 are too few for pixels
LEAST_SHARE = 1e-15  # so little is a probability of 0 taken for: a tree that is wrong is sure of it


def classic(method: str, seed: int) -> DecisionTreeClassifier | LogisticRegression:
    if method == "logistic-regression":
        return LogisticRegression(max_iter=STEPS)
    return DecisionTreeClassifier(max_depth=SHALLOW if method == "shallow-tree" else None, random_state=seed)


def fit(unit: Unit, record: Record, watched: Watched) -> Any:
    """Fits the unit's method, as given back, and fills in its record, as a training of one epoch."""
    setup = json.loads(unit.setup)
    taught, measured = parts(unit, setup["dataset"], setup["samples"])
    record["planned"] = 1
    watched.tell(record)
    started = time.perf_counter()
    model = classic(setup["method"], unit.seed).fit(_rows(taught), taught.labels.numpy())
    loss, accuracy = figures(model, measured)
    train_loss, train_accuracy = figures(model, taught)
    record["epochs"].append({
        "epoch": 1, "loss": loss, "accuracy": accuracy, "train_loss": train_loss, "train_accuracy": train_accuracy,
        "seconds": time.perf_counter() - started,
    })  # fmt: skip
    # what it has learned: a tree's questions and answers, or the weights and biases
    record["parameters"] = int(
        model.tree_.node_count if hasattr(model, "tree_") else model.coef_.size + model.intercept_.size
    )
    record["state"] = "finished"
    return model


def _rows(samples: Samples) -> np.ndarray:
    """`(N, F)`: a table's features, or pixels in [0, 1]."""
    rows: np.ndarray = samples.inputs.flatten(1).numpy()
    return rows if samples.is_table else rows.astype(np.float32) / 255


def figures(model: Any, samples: Samples) -> tuple[float, float]:
    """Mean loss and accuracy of a fitted method."""
    labels, shares = samples.labels.numpy(), model.predict_proba(_rows(samples))
    known = np.zeros((len(labels), len(samples.classes)))
    known[:, model.classes_] = shares  # a class without training samples has none
    right = known[np.arange(len(labels)), labels].clip(LEAST_SHARE, 1)
    return float(-np.log(right).mean()), float((known.argmax(1) == labels).mean())
