"""What teaching gave, as rows: each method's accuracies with their intervals, letter by letter, before and after."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from core.networks.base import Network
from core.networks.summary import LayerRow, summarise
from core.report.transfer_figures import Series, Share
from core.training.results import wilson
from core.transfer.attempt import Attempt, Prediction
from core.transfer.forgetting import Forgetting

NOTHING = "nothing found"  # the answer where no symbol was found on a picture
METHOD_TITLES = {
    "prototypes": "Prototypes",
    "head": "New last layer",
    "top": "Top layers",
    "finetune": "All layers",
    "neighbours": "Nearest neighbours",
    "scratch": "From scratch",
}
PREPARATION_TITLES = {"ours": "cut out", "course": "the course's"}


@dataclass(frozen=True)
class MethodRow:
    """One way of teaching, measured; shares with 95 % intervals, None where there was nothing to measure."""

    title: str
    validated: Share | None  # by cross-validation
    tested: Share | None
    taught: float  # on the letters that taught: never to be shown alone
    learned: int  # parameters
    parameters: int
    first_perfect: int | None  # the epoch
    seconds: float
    standing: str = ""  # "best", "among the best" or nothing

    @property
    def decisive(self) -> Share | None:
        """What it is judged by: the test set where there is one."""
        return self.tested or self.validated


def method_title(method: str, preparation: str, name_preparation: bool) -> str:
    title = METHOD_TITLES.get(method, method)
    return f"{title}, {PREPARATION_TITLES[preparation]}" if name_preparation else title


def method_row(title: str, attempt: Attempt) -> MethodRow:
    validated = tested = None
    if (found := attempt.validation) is not None:
        validated = Share(title, found.accuracy, *found.interval, len(found.labels))
    if attempt.test_accuracy is not None and attempt.test_interval is not None:
        tested = Share(title, attempt.test_accuracy, *attempt.test_interval, len(attempt.predictions))
    return MethodRow(
        title, validated, tested, attempt.train_accuracy, attempt.trainable, attempt.parameters,
        attempt.first_perfect_epoch, attempt.seconds,
    )  # fmt: skip


def ranked(rows: Sequence[MethodRow]) -> list[MethodRow]:
    """The same rows, with who is best: alone where no other's interval reaches the leader's, else together.

    Whether intervals overlap is a cautious rule (Schenker and Gentleman 2001): it says "open" more often than a test of
    the difference would. With so few samples caution does no harm, and it holds between different samples too.
    """
    measured = [row for row in rows if row.decisive is not None]
    if len(measured) < 2:
        return list(rows)
    leader = max(measured, key=lambda row: row.decisive.value if row.decisive else 0.0)
    assert leader.decisive is not None
    level = [row for row in measured if row.decisive and row.decisive.high >= leader.decisive.low]
    standing = "best" if len(level) == 1 else "among the best"
    if len(level) == len(measured):
        standing = "undecided"
    return [_with_standing(row, standing) if row in level else row for row in rows]


def method_series(rows: Sequence[MethodRow]) -> tuple[Series, ...]:
    """For the figure: by cross-validation and on the test set, where there is anything."""
    found = (
        Series("by cross-validation", tuple(row.validated for row in rows if row.validated)),
        Series("on the test set", tuple(row.tested for row in rows if row.tested)),
    )
    return tuple(series for series in found if series.shares)


def letter_shares(predictions: Sequence[Prediction]) -> tuple[Share, ...]:
    """For each letter the share of its pictures that was read rightly, with Wilson's 95 % interval."""
    shares = []
    for label in dict.fromkeys(p.actual for p in predictions):
        hits = [p.predicted == label for p in predictions if p.actual == label]
        shares.append(Share(label, sum(hits) / len(hits), *wilson(sum(hits), len(hits)), len(hits)))
    return tuple(shares)


def confusions(predictions: Sequence[Prediction], classes: Sequence[str]) -> tuple[np.ndarray, tuple[str, ...]]:
    """`(C, C)` counts, a row for each true class, and the classes that occur, `NOTHING` last where it was answered."""
    seen = {p.actual for p in predictions} | {p.predicted or NOTHING for p in predictions}
    names = [label for label in classes if label in seen]
    names += sorted(seen - set(names) - {NOTHING}) + [NOTHING] * (NOTHING in seen)
    counts = np.zeros((len(names), len(names)), int)
    for p in predictions:
        counts[names.index(p.actual), names.index(p.predicted or NOTHING)] += 1
    return counts, tuple(names)


def forgetting_series(forgetting: Forgetting) -> tuple[Series, Series]:
    """The old classes' shares before and after, in the classes' order."""
    before, after = (
        tuple(
            Share(label, float(hits.mean()), *wilson(int(hits.sum()), len(hits)), len(hits))
            for i, label in enumerate(forgetting.before.classes)
            if len(hits := result.right[result.labels == i])
        )
        for result in (forgetting.before, forgetting.after)
    )
    return Series("before", before), Series("after", after)


@dataclass(frozen=True)
class LayerChange:
    """A layer of the network before and after; a layer without weights learns nothing."""

    name: str
    kind: str
    shape_before: str
    shape_after: str
    parameters_before: int
    parameters_after: int
    learned: str  # "learned", "partly", "as it was", or "–" where there is nothing to learn


WORDS = {"trainable": "learned", "partly frozen": "partly", "frozen": "as it was", "–": "–"}


def layer_changes(before: Network, after: Network) -> list[LayerChange]:
    """Every layer with what the teaching changed of it, found by comparing the weights themselves."""
    old, new = summarise(before), summarise(marked_by_change(before, after))
    known = {row.name: row for row in old}

    def change(row: LayerRow) -> LayerChange:
        was = known.get(row.name, row)
        return LayerChange(
            row.name, row.kind, was.output_shape, row.output_shape, was.parameters, row.parameters, WORDS[row.state]
        )

    return [change(row) for row in new]


def marked_by_change(before: nn.Module, after: Network) -> Network:
    """A copy of `after` of which those parameters are trainable that differ from those of `before`."""
    marked, was = copy.deepcopy(after), dict(before.named_parameters())
    for name, parameter in marked.named_parameters():
        same = name in was and was[name].shape == parameter.shape and torch.equal(was[name].cpu(), parameter.cpu())
        parameter.requires_grad_(not same)
    return marked


def _with_standing(row: MethodRow, standing: str) -> MethodRow:
    return MethodRow(**row.__dict__ | {"standing": standing})
