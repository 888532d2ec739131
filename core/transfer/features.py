"""What the frozen part of a network makes of the letters: computed once, then every method and every fold selects rows.

A changed copy goes with its letter, and a glyph that is no letter with the two letters that it is made of: what is held
out has taught nothing.
"""

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor, nn

from core.data import Samples
from core.data.strokes import PEN_PX, bend, render, scribble
from core.errors import TrainingError
from core.networks.base import Network, as_input
from core.training.augment import augment
from core.training.negatives import make_negatives
from core.transfer.heads import embed, output_layer

COPIES = 1000  # changed letters at least, of all letters together
SCRIBBLES, PAIRS = 80, 55  # glyphs that are no letter, for the refusal: of no letter, and of two letters each
KINDS = 4  # of negatives that two letters give: a scribble, both side by side, both overlaid, a blob
REMEMBERED = 6  # features kept: one network, a few letters sets and methods

Body = Callable[[Tensor], Tensor]  # glyphs → features `(N, D)`


@dataclass(frozen=True, eq=False)
class Features:
    """Rows of `D` numbers."""

    own: Tensor  # (N, D) of the letters as they are
    copies: Tensor  # (R, N, D) of R changed copies of each
    negatives: Tensor  # (M, D) of glyphs that are no letter
    parents: Tensor  # (M, 2) int64: the letters that each of these is made of; -1 for one that is made of none
    rehearsed: Tensor  # (P, D) of samples of the source's classes; none where they are not kept

    def take(self, index: Tensor) -> "Features":
        """Of these letters alone: what the others are part of is left out. Negatives' parents keep their numbers."""
        stays = ((self.parents < 0) | torch.isin(self.parents, index)).all(1)
        return replace(
            self,
            own=self.own[index],
            copies=self.copies[:, index],
            negatives=self.negatives[stays],
            parents=self.parents[stays],
        )

    def rows(self) -> Tensor:
        """All that teaches, `(N + R·N + P, D)`: the letters, their copies, the rehearsed samples."""
        return torch.cat([self.own, self.copies.flatten(0, 1), self.rehearsed])

    def labels(self, letters: Tensor, rehearsed: Tensor) -> Tensor:
        """The labels of `rows`, from the letters' and those of the rehearsed samples."""
        return torch.cat([letters.repeat(1 + len(self.copies)), rehearsed])


def top_of(network: Network) -> tuple[Body, nn.Sequential]:
    """The network up to its last two dense layers, and these two with the ReLU between them.

    Raises `TrainingError` where the network does not end so, which its answers show.
    """
    dense = [module for module in network.modules() if isinstance(module, nn.Linear)]
    if len(dense) < 2 or dense[-1] is not output_layer(network)[1]:
        raise _no_top(network)
    hidden, output = dense[-2:]

    def body(glyphs: Tensor) -> Tensor:
        seen: list[Tensor] = []
        handle = hidden.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].flatten(1)))
        try:
            network.embed(glyphs)
        finally:
            handle.remove()
        return seen[0]

    tail = nn.Sequential(hidden, nn.ReLU(), output)
    probe = torch.rand(4, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        answers, expected = tail(body(probe)), network.logits(probe)
    if answers.shape != expected.shape or not torch.allclose(answers, expected, atol=1e-4):
        raise _no_top(network)
    return body, tail


def _no_top(network: Network) -> TrainingError:
    return TrainingError(
        f"A {network.spec.architecture!r} network does not end with two dense layers; choose the method head, which "
        "learns a new last layer, or finetune, which learns all."
    )


@dataclass(frozen=True)
class _Question:
    """What features depend on; the rest is what they are computed from."""

    weights: str
    part: str  # "embedding", or "top": the inputs of the last but one dense layer
    letters: str
    rehearsed: str | None
    seed: int
    network: Network = field(compare=False)
    samples: Samples = field(compare=False)
    rehearsal: Samples | None = field(compare=False)


def features_of(
    network: Network, part: str, letters: Samples, rehearsal: Samples | None = None, seed: int = 0
) -> Features:
    """The features of the letters, changed copies, negatives and rehearsed samples; asked again, they are there.

    Only the frozen weights count: a new output layer changes nothing. The tensors are shared; do not change them.
    """
    question = _Question(
        _fingerprint(network), part, letters.sha256, rehearsal.sha256 if rehearsal else None, seed,
        network, letters, rehearsal,
    )  # fmt: skip
    return _compute(question)


@lru_cache(maxsize=REMEMBERED)
def _compute(question: _Question) -> Features:
    network, letters = question.network, question.samples
    body: Body = network.embed if question.part == "embedding" else top_of(network)[0]
    generator = torch.Generator().manual_seed(question.seed)
    glyphs = as_input(letters.images)
    rounds = math.ceil(COPIES / len(letters))
    copies = [embed(body, augment(glyphs, generator)) for _ in range(rounds)]
    negatives, parents = negatives_of(letters, question.seed)
    own = embed(body, glyphs)
    rehearsed = own[:0] if question.rehearsal is None else embed(body, question.rehearsal.images)
    return Features(own, torch.stack(copies), embed(body, negatives), parents, rehearsed)


def forget_features() -> None:
    """Lets go of what was computed: for measuring how long it takes."""
    _compute.cache_clear()


def negatives_of(letters: Samples, seed: int) -> tuple[Tensor, Tensor]:
    """Glyphs that are no letter, `(M, 1, 28, 28) uint8`, and the two letters that each is made of, `(M, 2)`."""
    generator = torch.Generator().manual_seed(seed)
    rng = np.random.default_rng(seed)
    scribbles = np.stack([render(bend(scribble(rng), rng), rng.uniform(*PEN_PX)) for _ in range(SCRIBBLES)])
    made, parents = [torch.from_numpy(scribbles)[:, None]], [torch.full((SCRIBBLES, 2), -1)]
    for number in range(PAIRS if len(letters.labels.unique()) > 1 else 0):  # of one letter alone: scribbles
        first = int(torch.randint(len(letters), (1,), generator=generator))
        others = (letters.labels != letters.labels[first]).nonzero()[:, 0]
        pair = torch.tensor([first, int(others[torch.randint(len(others), (1,), generator=generator)])])
        # as no pair of letters makes digits, none of these is a Greek letter
        two = replace(letters.take(pair), classes=("one", "other"))
        made.append(make_negatives(KINDS, two, seed + number))
        parents.append(pair.repeat(KINDS, 1))
    return torch.cat(made), torch.cat(parents)


def _fingerprint(network: Network) -> str:
    """Of all weights but the output layer's."""
    name, _ = output_layer(network)
    digest = hashlib.sha256(repr(replace(network.spec, classes=2)).encode())
    for key, value in network.state_dict().items():
        if not key.startswith(f"{name}."):
            digest.update(value.contiguous().numpy().tobytes())
    return digest.hexdigest()
