"""A first look at a data set: what is in it, before anything is trained on it."""

from dataclasses import dataclass, replace

import numpy as np
import torch

from core.data.samples import Samples

SHOWN = 6  # the reports show the first six


@dataclass(frozen=True, eq=False)
class Overview:
    """What there is to see of one part of a data set."""

    first: Samples  # the first six, in order
    each: Samples  # the first one of each class that there is, in the classes' order
    counts: tuple[int, ...]  # samples of each class
    means: np.ndarray  # each class's mean image, (C, 28, 28) float32 in [0, 255]; a table's mean features, (C, F)
    size: int  # samples
    megabytes: float  # of the inputs in memory
    notes: tuple[str, ...]


def overview(samples: Samples) -> Overview:
    inputs, labels = samples.inputs.numpy(), samples.labels.numpy()
    means = np.zeros((len(samples.classes), *inputs.shape[1:]), np.float32)  # 0 for a class without samples
    present, firsts = np.unique(labels, return_index=True)
    for label in present:
        means[label] = inputs[labels == label].mean(axis=0, dtype=np.float64)
    return Overview(
        first=replace(samples, inputs=samples.inputs[:SHOWN], labels=samples.labels[:SHOWN]),
        each=samples.take(torch.from_numpy(firsts)),
        counts=tuple(np.bincount(labels, minlength=len(samples.classes)).tolist()),
        means=means,
        size=len(samples),
        megabytes=inputs.nbytes / 1e6,
        notes=samples.notes,
    )
