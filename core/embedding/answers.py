"""What a network answers to a space's samples, and how sure it is."""

from dataclasses import dataclass

import numpy as np
import torch

from core.embedding.progress import Tell, quiet
from core.embedding.space import BATCH, Space
from core.inspection.subject import Subject
from core.networks.base import as_input


@dataclass(frozen=True, eq=False)
class Answers:
    """One answer for each sample of a space."""

    predicted: np.ndarray  # (N,) int64, indices into the network's classes
    confidence: np.ndarray  # (N,) float32, calibrated probability of that class
    known: np.ndarray  # (N,) bool: the network has the sample's class at all
    right: np.ndarray  # (N,) bool: the answer is the label; never where the class is not known


def answer_samples(subject: Subject, space: Space, tell: Tell = quiet) -> Answers:
    """The network's answers to the space's glyphs, in batches."""
    predicted, confidence = [], []
    done = 0
    for part in torch.from_numpy(space.glyphs).split(BATCH):
        probabilities = subject.probabilities(as_input(part))
        predicted.append(probabilities.argmax(1))
        confidence.append(probabilities.max(1))
        done += len(part)
        tell(done, len(space))
    answers = np.concatenate(predicted)
    own = np.array([subject.classes.index(c) if c in subject.classes else -1 for c in space.classes])[space.labels]
    return Answers(answers, np.concatenate(confidence).astype(np.float32), own >= 0, own == answers)
