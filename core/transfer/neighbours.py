"""k-nearest neighbours in the embedding: no weights are learned, the letters themselves are remembered."""

import numpy as np
import torch
from sklearn.neighbors import KNeighborsClassifier
from torch import Tensor

from core.networks.base import Network

KS = (1, 3, 5, 7, 9, 15, 25)  # what k is chosen from
UNSEEN = 0.5  # votes that each class has before any neighbour is asked, so that no probability is zero (Jeffreys)


class Neighbours(Network):
    """A network whose last layer is a vote of the k nearest of the points that it remembers."""

    def __init__(self, body: Network, points: Tensor, labels: Tensor) -> None:
        """`points` `(N, D)` are the body's embeddings of samples with these `labels` `(N,)`."""
        super().__init__(body.spec)
        self.body = body
        self.k = best_k(points, labels)
        self._labels = labels.numpy()
        self._known = KNeighborsClassifier(self.k).fit(points.numpy(), labels.numpy())
        self.eval()

    def embed(self, inputs: Tensor) -> Tensor:
        return self.body.embed(inputs).flatten(1)  # (N, D)

    def logits(self, inputs: Tensor) -> Tensor:
        return self.vote(self.embed(inputs))

    def vote(self, embeddings: Tensor) -> Tensor:
        """The logarithms of the smoothed shares of the k votes, `(N, C)`; of level classes the nearest is ahead."""
        nearest = self._known.kneighbors(embeddings.detach().numpy(), return_distance=False)
        labels = self._labels[nearest]  # (N, k)
        votes = np.full((len(embeddings), self.spec.classes), UNSEEN)
        rows = np.repeat(np.arange(len(embeddings)), self.k)
        # nearer votes count a trifle more, which decides between classes with as many votes, and nothing else
        weights = 1 + 1e-3 / (1 + np.arange(self.k))
        np.add.at(votes, (rows, labels.ravel()), np.tile(weights, len(embeddings)))
        return torch.from_numpy(np.log(votes / votes.sum(1, keepdims=True)).astype(np.float32))


def best_k(points: Tensor, labels: Tensor) -> int:
    """The k that reads most of the points rightly by their neighbours without themselves; the smallest of several."""
    known = labels.numpy()
    rarest = int(np.bincount(known)[np.unique(known)].min())
    ks = [k for k in KS if k <= max(1, min(rarest, len(known) - 1))]
    neighbours = KNeighborsClassifier(ks[-1]).fit(points.numpy(), known)
    nearest = known[neighbours.kneighbors(return_distance=False)]  # (N, k), none its own neighbour
    classes = np.arange(known.max() + 1)
    right = [((nearest[:, :k, None] == classes).sum(1).argmax(1) == known).mean() for k in ks]
    return ks[int(np.argmax(right))]
