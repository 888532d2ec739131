"""How far a map can be trusted: what its order removes and adds, and whether it needs learning to look as it does."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import torch
from scipy.stats import rankdata
from torch import Tensor, nn

from core.inspection.attributions import Attribution, Progress, attribute, baseline
from core.inspection.subject import Layer, Subject, logits

STEPS = 16  # of each curve, besides its start
TILE = 16  # pixels: a photo is taken away in tiles; scattered single pixels would be noise that no photo outlives
ORDERS = {"photos": 4}  # random orders to compare with,
MOST_ORDERS = 10  # and as many for glyphs and tables: a map that beats ten has a chance of 1 in 11 to do so by luck
DRAWS = {"photos": 2}  # of random weights,
MOST_DRAWS = 4  # and as many for glyphs and tables: a coarse map's correlation differs widely from draw to draw
BATCH = {"photos": 8}  # inputs in one run
LARGEST_BATCH = 256
BLUR = 11.0  # pixels, standard deviation: what a photo is uncovered from (Petsiuk et al. 2018)
# Heuristics for the sentence that sums it up.
SIMILAR = 0.5  # rank correlation, without its sign: from here on the map of random weights is called much the same
UNLIKELY = 0.05  # a class's probability: below it there is nothing to lose, and the curves say nothing

TRUSTWORTHY, PARTLY, CHANCE, BLIND, UNTESTABLE = "trustworthy", "partly", "chance", "blind", "untestable"


@dataclass(frozen=True, eq=False)
class Curves:
    """The class's probability while what the map marks is removed, most important first, and while it is added."""

    shares: np.ndarray  # (S + 1,) of what can be removed, from 0 to 1
    deletion: np.ndarray  # (S + 1,): a good map's falls at once
    insertion: np.ndarray  # (S + 1,): a good map's rises at once

    @cached_property
    def deletion_area(self) -> float:
        """Under the curve, in [0, 1]; small is good."""
        return float(np.trapezoid(self.deletion, self.shares))

    @cached_property
    def insertion_area(self) -> float:
        """Under the curve, in [0, 1]; large is good."""
        return float(np.trapezoid(self.insertion, self.shares))


@dataclass(frozen=True, eq=False)
class Chance:
    """The curves of random orders."""

    curves: tuple[Curves, ...]

    @property
    def deletion_areas(self) -> np.ndarray:
        return np.array([curves.deletion_area for curves in self.curves])

    @property
    def insertion_areas(self) -> np.ndarray:
        return np.array([curves.insertion_area for curves in self.curves])


@dataclass(frozen=True, eq=False)
class Trust:
    """All that speaks for and against one map."""

    attribution: Attribution
    curves: Curves
    chance: Chance
    without_learning: Attribution  # the same map of the same network with random weights: of the first draw
    similarity: float  # rank correlation of such maps with this one, without its sign; the mean of all draws
    ssim: float  # structural similarity of them without their signs, in [-1, 1], the mean; nan for a table's row

    @property
    def deletion_gain(self) -> float:
        """How much less area than the mean random order leaves; above 0 is better than chance."""
        return float(self.chance.deletion_areas.mean() - self.curves.deletion_area)

    @property
    def insertion_gain(self) -> float:
        return float(self.curves.insertion_area - self.chance.insertion_areas.mean())

    @property
    def beats_deletion(self) -> bool:
        """Whether it beats every random order."""
        return bool(self.curves.deletion_area < self.chance.deletion_areas.min())

    @property
    def beats_insertion(self) -> bool:
        return bool(self.curves.insertion_area > self.chance.insertion_areas.max())

    @property
    def verdict(self) -> str:
        """One of the five words above; by the thresholds above, which are heuristics."""
        if self.curves.deletion[0] < UNLIKELY:
            return UNTESTABLE
        if self.similarity >= SIMILAR:
            return BLIND
        return {2: TRUSTWORTHY, 1: PARTLY, 0: CHANCE}[self.beats_deletion + self.beats_insertion]


def cells_of(inputs: Tensor, takes: str) -> np.ndarray:
    """What is removed together: `(h, w)` or `(F,)` numbers from 0, and -1 where there is nothing to remove.

    A glyph's pixels of ink and a row's features stand for themselves; a photo falls into tiles. Paper, which is the
    baseline itself, is left out: removing it changes nothing, and every map that marks ink at all would beat chance.
    """
    there: np.ndarray = (inputs[0] != baseline(inputs)[0]).numpy()
    if there.ndim == 3:
        there = np.any(there, axis=0)
    if takes == "photos":
        height, width = there.shape
        rows, columns = np.arange(height)[:, None] // TILE, np.arange(width) // TILE
        return rows * (-(-width // TILE)) + columns
    cells = np.full(there.shape, -1)
    cells[there] = np.arange(np.count_nonzero(there))
    return cells


def importance(values: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """`(K,)`: the map's mean in each cell."""
    inside = cells >= 0
    count = np.bincount(cells[inside])
    return np.bincount(cells[inside], values[inside].astype(float)) / np.maximum(count, 1)


def follow(
    subject: Subject, inputs: Tensor, target: int, ranking: np.ndarray, cells: np.ndarray, run: Callable[[int], None]
) -> Curves:
    """Removes and adds the cells, `(K,)` by their rank, highest first (RISE; Petsiuk et al. 2018).

    `run` is told of every batch how many inputs it had.
    """
    count = len(ranking)
    steps = np.unique(np.linspace(0, count, min(STEPS, count) + 1).round().astype(int))
    place = np.empty(count, int)
    place[np.argsort(-ranking, kind="stable")] = np.arange(count)
    place_of_pixel = np.append(place, count)[cells]  # (h, w); what is in no cell is never reached
    reached = torch.from_numpy(place_of_pixel[None] < steps.reshape(-1, *[1] * cells.ndim))
    reached = reached[:, None] if inputs.ndim == 4 else reached
    empty, start = baseline(inputs), _uncovered_from(inputs, subject.takes)
    removed = torch.where(reached, empty, inputs)
    added = torch.where(reached, inputs, torch.where(torch.from_numpy(cells >= 0), start, inputs))
    curve = _quantity(subject, inputs, torch.cat([removed, added]), target, run)
    return Curves(steps / count, curve[: len(steps)], curve[len(steps) :])


def _uncovered_from(inputs: Tensor, takes: str) -> Tensor:
    """What adding starts with: the baseline, or of a photo its own blur, without the baseline's sharp edges."""
    if takes != "photos":
        return baseline(inputs)
    blurred = cv2.GaussianBlur(inputs[0].permute(1, 2, 0).numpy(), (0, 0), BLUR)
    return torch.from_numpy(blurred).permute(2, 0, 1)[None]


def _quantity(
    subject: Subject, original: Tensor, inputs: Tensor, target: int, run: Callable[[int], None]
) -> np.ndarray:
    """`(N,)`: the class's probability; without an output layer the channel's mean, as a share of the original's."""
    found = []
    for batch in inputs.split(BATCH.get(subject.takes, LARGEST_BATCH)):
        found.append(_score(subject, batch, target))
        run(len(batch))
    curve = np.concatenate(found)
    if subject.classes:
        return curve
    whole = float(_score(subject, original, target)[0])
    return curve / whole if whole else np.zeros_like(curve)


def _score(subject: Subject, inputs: Tensor, target: int) -> np.ndarray:
    if subject.classes:
        return subject.probabilities(inputs)[:, target]
    with torch.inference_mode():
        made = logits(subject.module, inputs)
    return (made.flatten(2).mean(2) if made.ndim > 2 else made)[:, target].numpy()


def chance(subject: Subject, inputs: Tensor, target: int, seed: int = 0, progress: Progress | None = None) -> Chance:
    """The curves of random orders of the same cells; the same for all methods."""
    cells, random = cells_of(inputs, subject.takes), np.random.default_rng(seed)
    count, orders = int(cells.max()) + 1, ORDERS.get(subject.takes, MOST_ORDERS)
    total, done = orders * 2 * (min(STEPS, count) + 1), 0

    def run(inputs: int) -> None:
        nonlocal done
        done = min(done + inputs, total)
        if progress is not None:
            progress(done, total)

    return Chance(tuple(follow(subject, inputs, target, random.random(count), cells, run) for _ in range(orders)))


def judge(
    subject: Subject,
    inputs: Tensor,
    attribution: Attribution,
    by_chance: Chance,
    untrained: Sequence[Subject],
    layer: Layer | None = None,
) -> Trust:
    """How far the map can be trusted.

    `by_chance` from `chance` for the same class, `untrained` from `draw_untrained`, `layer` as for `attribute`.
    """
    cells = cells_of(inputs, subject.takes)
    ranking = importance(attribution.values, cells)
    curves = follow(subject, inputs, attribution.target, ranking, cells, lambda inputs: None)
    drawn = [attribute(one, inputs, attribution.method, attribution.target, layer, refine=False) for one in untrained]
    similarity = float(np.mean([abs(rank_correlation(ranking, importance(one.values, cells))) for one in drawn]))
    ssim = float("nan")
    if cells.ndim == 2:
        ssim = float(np.mean([structural_similarity(abs(attribution.values), abs(one.values)) for one in drawn]))
    return Trust(attribution, curves, by_chance, drawn[0], similarity, ssim)


def in_words(trust: Trust, name: str, quantity: str = "probability") -> str:
    """The verdict as one plain sentence or two; `name` is the class's, `quantity` what the curves show of it."""
    share = f"{trust.deletion_gain:+.2f} removed and {trust.insertion_gain:+.2f} added".replace("-", "−")
    share, orders = f"area between the curves {share}, at most 1", len(trust.chance.curves)
    if trust.verdict == UNTESTABLE:
        return (
            f"Cannot be tested: the {quantity} of {name} is {trust.curves.deletion[0] * 100:.1f} % here, so removing "
            "what the map marks has nothing to lower."
        )
    if trust.verdict == BLIND:
        return (
            f"Not to be trusted here: random weights give much the same map (rank correlation "
            f"{trust.similarity:.2f}), so it shows the input rather than what was learned."
        )
    if trust.verdict == TRUSTWORTHY:
        return (
            f"Trustworthy here: removing and adding what the map marks changes the {quantity} of {name} sooner than "
            f"all of {orders} random orders ({share}), and random weights give another map."
        )
    if trust.verdict == PARTLY:
        better, worse = ("removed", "added") if trust.beats_deletion else ("added", "removed")
        return (
            f"Half trustworthy here: what the map marks matters more than all of {orders} random orders when it is "
            f"{better}, but not when it is {worse} ({share})."
        )
    return (
        f"Not more than chance here: removing or adding what the map marks changes the {quantity} of {name} no sooner "
        f"than a random order does ({share})."
    )


def draw_untrained(subject: Subject) -> tuple[Subject, ...]:
    """The same network without learning, as often as the comparison needs it; the same for all inputs."""
    return tuple(without_learning(subject, seed) for seed in range(DRAWS.get(subject.takes, MOST_DRAWS)))


def without_learning(subject: Subject, seed: int = 0) -> Subject:
    """The same network with all weights drawn anew (Adebayo et al. 2018, "model randomization")."""
    module = subject.own_copy()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        drawn: set[int] = set()
        for part in module.modules():
            own = [p for p in part.parameters(recurse=False) if id(p) not in drawn]
            reset = getattr(part, "reset_parameters", None)
            if callable(reset):
                reset()
            else:
                for weights in own:
                    _draw(weights)
            drawn.update(map(id, own))
    return subject.with_module(module)


def _draw(weights: nn.Parameter) -> None:
    """For weights whose layer cannot draw them itself: normal, with the mean and the spread that they have."""
    with torch.no_grad():
        spread = float(weights.std()) if weights.numel() > 1 else 0.0
        weights.copy_(torch.empty_like(weights).normal_(float(weights.mean()), spread))


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Spearman's; 0 where one of the two is the same everywhere and so has no order."""
    a, b = rankdata(first), rankdata(second)
    if len(a) < 2 or not a.std() or not b.std():
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def structural_similarity(first: np.ndarray, second: np.ndarray) -> float:
    """The mean SSIM of two pictures, each scaled to [0, 1]: σ = 1.5, K1 = 0.01, K2 = 0.03 (Wang et al. 2004)."""
    a, b = (picture / (picture.max() or 1.0) for picture in (first.astype(float), second.astype(float)))

    def mean(picture: np.ndarray) -> np.ndarray:
        return cv2.GaussianBlur(picture, (11, 11), 1.5)

    mean_a, mean_b = mean(a), mean(b)
    spread_a, spread_b = mean(a * a) - mean_a**2, mean(b * b) - mean_b**2
    both = mean(a * b) - mean_a * mean_b
    similar = (2 * mean_a * mean_b + 0.01**2) * (2 * both + 0.03**2)
    return float((similar / ((mean_a**2 + mean_b**2 + 0.01**2) * (spread_a + spread_b + 0.03**2))).mean())
