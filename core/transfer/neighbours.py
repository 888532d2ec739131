"""k-nearest neighbours in the embedding: no weights are learned, the letters themselves are remembered."""

import numpy as np
import torch
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from core.networks.base import Network

KS = (1, 3, 5, 7, 9, 15, 25)  # what k is chosen from
UNSEEN = 0.5  # votes that each class has before any neighbour is asked, so that no probability is zero (Jeffreys)
NEARER = 1e-3  # the first neighbour's vote counts so much more: it decides between classes with as many votes


class Vote:
    """The k nearest of the points that are remembered, and what they vote for."""

    def __init__(self, points: Tensor, labels: Tensor, classes: int) -> None:
        """`points` `(N, D)` with `labels` `(N,)`; k is chosen among `KS` by leave-one-out on these points alone."""
        self._labels, self._classes = labels.numpy(), classes
        self._known = NearestNeighbors().fit(points.numpy())
        rarest = int(np.bincount(self._labels)[np.unique(self._labels)].min())
        ks = [k for k in KS if k <= max(1, min(rarest, len(points) - 1))]
        self.k = ks[0] if len(points) == 1 else self._best(ks)

    def _best(self, ks: list[int]) -> int:
        """The k that reads most of the points rightly by their neighbours alone; the smallest of several."""
        nearest = self._known.kneighbors(n_neighbors=ks[-1], return_distance=False)  # of no points given: not itself
        right = [(self._count(nearest[:, :k]).argmax(1) == self._labels).mean() for k in ks]
        return ks[int(np.argmax(right))]

    def _count(self, nearest: np.ndarray) -> np.ndarray:
        """`(N, k)` positions, the nearest first → `(N, C)` votes."""
        votes = np.full((len(nearest), self._classes), UNSEEN)
        weights = np.broadcast_to(1 + NEARER / (1 + np.arange(nearest.shape[1])), nearest.shape)
        np.add.at(votes, (np.arange(len(nearest))[:, None], self._labels[nearest]), weights)
        return votes

    def __call__(self, embeddings: Tensor) -> Tensor:
        """The logarithms of the smoothed shares of the k votes for each of the embeddings `(M, D)`, `(M, C)`."""
        nearest = self._known.kneighbors(embeddings.detach().numpy(), self.k, return_distance=False)
        votes = self._count(nearest)
        return torch.from_numpy(np.log(votes / votes.sum(1, keepdims=True)).astype(np.float32))


class Neighbours(Network):
    """A network whose last layer is a vote of the k nearest of the samples that it remembers."""

    def __init__(self, body: Network, points: Tensor, labels: Tensor) -> None:
        """`points` `(N, D)` are the body's embeddings of samples with these `labels` `(N,)`."""
        super().__init__(body.spec)
        self.body = body
        self.vote = Vote(points, labels, body.spec.classes)
        self.eval()

    def embed(self, inputs: Tensor) -> Tensor:
        return self.body.embed(inputs).flatten(1)  # (N, D)

    def logits(self, inputs: Tensor) -> Tensor:
        return self.vote(self.embed(inputs))  # (N, C)
