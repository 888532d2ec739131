"""A recognizer that remembers: in a video most glyphs look as they did a frame ago, and need no network to be read."""

import numpy as np

from core.reading.recognizer import Recognizer

ALIKE = 0.99  # cosine of two glyphs from which one answer serves both; half of a held page's glyphs reach it each frame
REMEMBERED = 64  # glyphs: a full page's, and some that come back


class RecallingRecognizer(Recognizer):
    """Asks the network only about glyphs that look like none that it was asked about lately; for one thread.

    A glyph is always compared with one that the network saw, so small changes do not add up.
    """

    def __init__(self, recognizer: Recognizer) -> None:
        super().__init__(recognizer.network)
        self.classes = recognizer.classes  # the network's, and those that were taught besides
        self._recognizer = recognizer
        self._looks = np.zeros((REMEMBERED, 28 * 28), np.float32)  # of unit length
        self._probabilities = np.zeros((REMEMBERED, len(self.classes)), np.float32)
        self._scores = np.zeros(REMEMBERED, np.float32)
        self._next = 0  # the place of the oldest look

    def classify(self, glyphs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As `Recognizer.classify`."""
        if not 0 < len(glyphs) <= REMEMBERED:
            return self._recognizer.classify(glyphs)
        looks = np.reshape(glyphs, (len(glyphs), -1)).astype(np.float32)
        looks /= np.linalg.norm(looks, axis=1, keepdims=True) + 1e-9
        likeness = looks @ self._looks.T  # (N, REMEMBERED)
        places = likeness.argmax(axis=1)
        new = likeness[np.arange(len(glyphs)), places] < ALIKE
        probabilities, scores = self._probabilities[places], self._scores[places]
        if new.any():
            probabilities[new], scores[new] = self._recognizer.classify(glyphs[new])
            self._remember(looks[new], probabilities[new], scores[new])
        return probabilities, scores

    def _remember(self, looks: np.ndarray, probabilities: np.ndarray, scores: np.ndarray) -> None:
        places = (self._next + np.arange(len(looks))) % REMEMBERED
        self._looks[places], self._probabilities[places], self._scores[places] = looks, probabilities, scores
        self._next = int(places[-1] + 1) % REMEMBERED
