"""A recognizer that reads taught symbols besides a network's classes; the shared one is not changed."""

import numpy as np

from core.reading.prototypes import Ground, Prototypes
from core.reading.recognizer import Recognizer, log_sum_exp

CERTAIN = 0.5  # a class without samples to compare with keeps what the network is so sure of


class TaughtRecognizer(Recognizer):
    """The network's recognizer with taught classes behind its own; holds no state that changes.

    A glyph that a taught symbol takes (see `Prototypes.sureness`) is read as that symbol, whether the network refuses
    it or reads something else. All others are read, or refused, as the network alone would do it.
    """

    def __init__(self, recognizer: Recognizer, ground: Ground, prototypes: Prototypes) -> None:
        super().__init__(recognizer.network)
        self._embedder = ground.embedder
        self._prototypes = prototypes
        own = self.classes
        self.classes = own + tuple(label for label in prototypes.labels if label not in own)
        self._columns = np.array([self.classes.index(label) for label in prototypes.labels])
        self._own = len(own)
        sampled = set(ground.labels.tolist())
        self._unsampled = np.array([label not in sampled for label in own])

    def classify(self, glyphs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As `Recognizer.classify`, with the probabilities of the taught symbols behind the network's classes."""
        if len(glyphs) == 0:
            return np.zeros((0, len(self.classes)), np.float32), np.zeros(0, np.float32)
        logits, embeddings = self._embedder(glyphs)
        score = log_sum_exp(logits)
        scaled = logits / self.temperature
        own = np.exp(scaled - log_sum_exp(scaled)[:, None])
        sure = self._prototypes.sureness(embeddings)
        keeps = self._unsampled[own.argmax(1)] & (own.max(1) > CERTAIN) & (score >= self.threshold)
        sure[keeps] = 0.0
        best = sure.argmax(1)
        share = sure[np.arange(len(sure)), best]
        probabilities = np.zeros((len(glyphs), len(self.classes)), np.float32)
        probabilities[:, : self._own] = own * (1 - share)[:, None]
        probabilities[np.arange(len(glyphs)), self._columns[best]] += share
        return probabilities, np.where(share > CERTAIN, np.maximum(score, self.threshold), score).astype(np.float32)
