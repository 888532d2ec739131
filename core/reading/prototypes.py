"""Prototypes: symbols taught from a few glyphs, told from what a network reads already and from what is no symbol.

A glyph's embedding is that of the two shipped networks `digits` and `greek` side by side, each of length 1, whatever
network reads: having learned 34 symbols in many hands, they tell new ones apart better than a small network of ten
digits does (with the 50 numbers of `report` in the place of those of `digits`, taught symbols took 1.0 % of MNIST's
digits). Embeddings are whitened by the covariance within classes, as in linear discriminant analysis, and compared with
class means: the nearest mean (Snell et al. 2017) by Mahalanobis distance (Lee et al. 2018). A taught symbol takes a
glyph that lies within its radius and nearer to it than to any class of the network, by a margin that generated samples
of those classes set. All constants are heuristics.

Measured with `digits` (`core.bench.teaching`, six times three symbols): of Greek letters in other people's hands it
reads 50 % after one capture, 85 % after three, 97 % after five; of invented symbols in the same hand 100 % after five.
Of MNIST's test digits 0.10 points are lost to Greek letters (0.37 at worst), 0.24 to invented symbols, of which some
look like a digit (0.69 at worst); of people's 189 digits none.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from core.data.alphabet import DIGITS, GREEK
from core.data.strokes import draw_glyphs
from core.errors import NetworkError
from core.networks import TrainedNetwork, open_network
from core.networks.embedding_runtime import open_embedding_session

EMBEDDING = ("digits", "greek")  # the shipped networks whose embeddings are compared
BATCH = 250  # glyphs embedded at once
A_CLASS, AT_MOST = 100, 1200  # own samples: of each class, and of all together
OWN_SEED = 40_000  # other glyphs than any set's
COPIES = 40  # changed copies of each capture: how else the same hand may write it
SHRINK = 0.1  # of the covariance towards a sphere
FALSE_TAKES = 0.001  # share of the own samples that a taught symbol may take
COVERED, WIDENED = 0.95, 2.0  # the radius: so many of the copies lie in it, then so much more (squared distance)
TYPICAL = np.log(99.0)  # a glyph like the captures is read with 99 %, one at the border with 50 %


class Embedder:
    """Glyphs → logits of one network and embeddings; holds no state that changes, so threads may share it.

    Without the shipped networks it is the network's own embedding.
    """

    def __init__(self, network: TrainedNetwork) -> None:
        self._network = network
        self._sessions = {}
        for name in EMBEDDING:
            with suppress(NetworkError):
                self._sessions[name] = open_embedding_session(network if name == network.name else open_network(name))
        if not self._sessions:
            self._sessions[network.name] = open_embedding_session(network)

    def __call__(self, glyphs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """`(N, 28, 28) float32` in [0, 1] → logits `(N, C)` and embeddings `(N, D)`, both float32."""
        logits, rows = [], []
        for start in range(0, len(glyphs), BATCH):
            batch = np.ascontiguousarray(glyphs[start : start + BATCH], np.float32)
            answers = {name: session.run(None, {"glyphs": batch[:, None]}) for name, session in self._sessions.items()}
            own = answers.get(self._network.name)
            logits.append(self._network.logits(batch) if own is None else own[0])
            rows.append(np.concatenate([_of_length_one(embedding) for _, embedding in answers.values()], axis=1))
        return np.concatenate(logits), np.concatenate(rows)


def _of_length_one(rows: np.ndarray) -> np.ndarray:
    return rows / (np.linalg.norm(rows, axis=1, keepdims=True) + 1e-9)


@dataclass(frozen=True, eq=False)
class Ground:
    """What taught symbols are told from: the network's own classes as far as there are samples of them."""

    embedder: Embedder
    embeddings: np.ndarray  # (N, D) float32
    labels: np.ndarray  # (N,) of str
    threshold: float  # of the network's refusal


@lru_cache(maxsize=4)
def ground_of(network: TrainedNetwork) -> Ground:
    """Generated samples of the network's classes, embedded; takes up to some seconds, and is kept.

    Classes that the embedded alphabet lacks have none; of a network without any, digits stand in for other writing.
    """
    alphabet = DIGITS | GREEK
    classes = [label for label in network.passport.classes if label in alphabet] or list(DIGITS)
    labels = np.repeat(classes, min(A_CLASS, AT_MOST // len(classes)))
    embedder = Embedder(network)
    _, embeddings = embedder(draw_glyphs(list(labels), OWN_SEED).astype(np.float32) / 255)
    return Ground(embedder, embeddings, labels, network.passport.refusal_threshold)


def changed(glyph: np.ndarray, seed: int) -> np.ndarray:
    """A captured glyph and `COPIES` copies as hands change them: `(1 + COPIES, 28, 28) float32`."""
    import torch  # reading alone needs none of it

    from core.training.augment import augment

    generator = torch.Generator().manual_seed(seed)
    glyphs = torch.from_numpy(np.array(glyph, np.float32))[None, None]
    copies = augment(glyphs.repeat(COPIES, 1, 1, 1), generator)
    return torch.cat([glyphs, copies])[:, 0].numpy()


@dataclass(frozen=True, eq=False)
class Prototypes:
    """Taught symbols, fitted; never changed."""

    labels: tuple[str, ...]  # T taught ones
    _whitening: np.ndarray  # (D, D)
    _own: np.ndarray  # (K, D) class means, whitened
    _own_labels: tuple[str, ...]
    _taught: np.ndarray  # (T, D) prototypes, whitened
    _margins: np.ndarray  # (T,): nearer than the nearest class by more than this
    _usual_margins: np.ndarray  # (T,): of the captures' copies, the median
    _radii: np.ndarray  # (T,) squared distances
    _usual_distances: np.ndarray  # (T,)

    def sureness(self, embeddings: np.ndarray) -> np.ndarray:
        """`(N, D)` → `(N, T)` in [0, 1]: above 0.5 the taught symbol takes the glyph; 0.99 for one like the captures.

        Margin and distance, each counted from its border (0.5) to what is usual of the captures; the worse one counts.
        """
        whitened = embeddings @ self._whitening
        distances = _squared_distances(whitened, self._taught)
        margins = self._nearest_other(whitened) - distances
        by_margin = (margins - self._margins) / (self._usual_margins - self._margins)
        by_distance = (self._radii - distances) / (self._radii - self._usual_distances)
        return 1 / (1 + np.exp(-TYPICAL * np.clip(np.minimum(by_margin, by_distance), -4, 1.5)))

    def _nearest_other(self, whitened: np.ndarray) -> np.ndarray:
        return _nearest_other(whitened, self._own, self._own_labels, self.labels)


def fit_prototypes(ground: Ground, captures: Sequence[tuple[str, np.ndarray]]) -> Prototypes:
    """Label and embedded copies `(M, D)` of each taught symbol, all its captures together → its prototype."""
    labels = tuple(label for label, _ in captures)
    names = tuple(dict.fromkeys(ground.labels.tolist()))
    means = np.stack([ground.embeddings[ground.labels == name].mean(0) for name in names])
    residuals = [ground.embeddings - means[[names.index(label) for label in ground.labels]]]
    residuals += [rows - rows.mean(0) for _, rows in captures]
    whitening = _whitening(np.concatenate(residuals))
    own = means @ whitening
    taught = np.stack([rows.mean(0) for _, rows in captures]) @ whitening
    samples = ground.embeddings @ whitening
    nearer = _nearest_other(samples, own, names, labels) - _squared_distances(samples, taught)
    margins, usual_margins, radii, usual_distances = [], [], [], []
    for number, (label, rows) in enumerate(captures):
        others = ground.labels != label  # a class that is taught anew may take its own samples
        copies = rows @ whitening
        distances = _squared_distances(copies, taught[number : number + 1])[:, 0]
        own_margins = _nearest_other(copies, own, names, (label,))[:, 0] - distances
        border = max(0.0, float(np.quantile(nearer[others, number], 1 - FALSE_TAKES))) if others.any() else 0.0
        margins.append(border)
        usual_margins.append(max(float(np.median(own_margins)), border + 1e-3))
        radii.append(WIDENED * float(np.quantile(distances, COVERED)))
        usual_distances.append(float(np.median(distances)))
    return Prototypes(
        labels, whitening, own, names, taught,
        *(np.array(values) for values in (margins, usual_margins, radii, usual_distances)),
    )  # fmt: skip


def _nearest_other(
    whitened: np.ndarray, own: np.ndarray, names: tuple[str, ...], labels: tuple[str, ...]
) -> np.ndarray:
    """`(N, T)`: squared distance to the nearest class mean that is not the taught label's own."""
    distances = _squared_distances(whitened, own)
    columns = [distances[:, [name != label for name in names]] for label in labels]
    return np.stack([c.min(axis=1) if c.shape[1] else np.full(len(whitened), np.inf) for c in columns], axis=1)


def _squared_distances(rows: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """`(N, D)`, `(K, D)` → `(N, K)`."""
    squares = (rows**2).sum(1)[:, None] + (centres**2).sum(1)[None] - 2 * rows @ centres.T
    return np.maximum(squares, 0)


def _whitening(residuals: np.ndarray) -> np.ndarray:
    """`(N, D)` deviations from the class means → `(D, D)`: after it they have spread 1 in every direction."""
    covariance = residuals.T @ residuals / len(residuals)
    size = len(covariance)
    values, vectors = np.linalg.eigh(covariance + SHRINK * np.trace(covariance) / size * np.eye(size))
    return (vectors / np.sqrt(values)).astype(np.float32)
