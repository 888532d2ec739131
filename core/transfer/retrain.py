"""What corrections change: taught without them and with them, asked the same held-out samples, judged by the truth."""

import warnings
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from core.data import Samples, load
from core.embedding.corrections import Correction, correct_samples
from core.embedding.distances import draw
from core.embedding.progress import Tell
from core.embedding.space import embed_glyphs
from core.errors import TrainingError
from core.inspection.subject import Subject
from core.networks.base import Network
from core.training.comparison import Candidate, Difference, compare
from core.training.fit import predict
from core.training.results import TestResult, result_of
from core.transfer.letters_set import LettersSet
from core.transfer.methods import Taught, TransferConfig, teach
from core.transfer.preparation import glyph_of

WITHOUT, WITH = "without the corrections", "with the corrections"
MOST_TAUGHT = 10_000  # training samples: seconds instead of a minute, and a new last layer hardly gains by more
MOST_TESTED = 10_000
REMEMBERED = 3  # networks whose embeddings are
ITERATIONS = 50  # of the solver between two looks at the stop button
ROUNDS = 20  # of so many iterations at most
FOLDS = 5  # or as many as the rarest letter has samples
NEVER = -1e9  # the logit of a class that was not taught

_embeddings: OrderedDict[Subject, dict[tuple[str, int], np.ndarray]] = OrderedDict()


@dataclass(frozen=True, eq=False)
class Retrained:
    """The same samples, asked of two networks that differ by what the corrections changed."""

    before: TestResult  # judged, as `after` is, by the corrected labels
    after: TestResult
    difference: Difference
    taught: int  # samples that taught the second
    changed: int  # samples that taught them differently: other labels, removed or new
    judged: int  # held-out samples
    judged_changed: int  # of which so many have corrected labels
    unchanged: TestResult | None = None  # `before`, judged by the labels that the data set gives

    @property
    def points(self) -> tuple[float, float, float]:
        """By how much the corrections change the accuracy, and its 95 % interval; in percentage points."""
        d = self.difference
        found = (d.difference, d.low, d.high) if d.first == WITH else (-d.difference, -d.high, -d.low)
        return found[0] * 100, found[1] * 100, found[2] * 100


def retrain_head(subject: Subject, dataset: str, corrections: Sequence[Correction], tell: Tell) -> Retrained:
    """A new last layer on the network's embeddings of a data set's training part, tested on its test part.

    The layer is a multinomial logistic regression (scikit-learn), whose optimum is unique: both differ by the
    corrections alone, and no seed plays a part. Raises `TrainingError` where no correction concerns the data set.
    """
    parts = _Part(load(dataset, "train"), corrections), _Part(load(dataset, "test"), corrections)
    classes = tuple(dict.fromkeys(parts[0].right.classes + parts[1].right.classes))
    (old, new, kept), (given, truth, judged) = (part.numbers(classes) for part in parts)
    changed, judged_changed = ~kept | (old != new), judged & (given != truth)
    if not changed.any() and not judged_changed.any() and judged.all():
        raise TrainingError(f"No correction concerns a sample of {dataset!r}; correct some first.")
    drawn = np.union1d(draw(old, MOST_TAUGHT), np.flatnonzero(changed))  # all corrected ones, so that none is missed
    asked = np.intersect1d(np.union1d(draw(given, MOST_TESTED), np.flatnonzero(judged_changed)), np.flatnonzero(judged))
    positions = (parts[0].given, drawn), (parts[1].given, asked)
    rows, questions = _embedded(subject, positions, lambda done, total: tell(round(50 * done / total), 100))
    scale = StandardScaler().fit(rows)
    rows, questions = (scale.transform(part.astype(np.float64)) for part in (rows, questions))  # to its very optimum
    before = _fit(rows, old[drawn], questions, len(classes), lambda share: tell(50 + round(25 * share), 100))
    after, stays = before, kept[drawn]
    if changed.any():
        after = _fit(
            rows[stays], new[drawn][stays], questions, len(classes), lambda share: tell(75 + round(25 * share), 100)
        )
    first, second = (result_of(logits, truth[asked], classes) for logits in (before, after))
    return Retrained(
        first, second, _difference(first, second), int(stays.sum()), int(changed.sum()), len(asked),
        int(judged_changed.sum()), result_of(before, given[asked], classes),
    )  # fmt: skip


class _Part:
    """A part of a data set as it is given, and as the corrections say it is."""

    def __init__(self, given: Samples, corrections: Sequence[Correction]) -> None:
        self.given = given
        self.right, self.kept = correct_samples(given, corrections)

    def numbers(self, classes: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The given labels and the right ones as indices into `classes`, and which samples are kept; each `(N,)`."""
        given, right = (_numbers(samples, classes).numpy() for samples in (self.given, self.right))
        return given, right, self.kept.numpy()


def _embedded(
    subject: Subject, positions: Sequence[tuple[Samples, np.ndarray]], tell: Tell
) -> tuple[np.ndarray, np.ndarray]:
    """The embeddings of these samples of the two parts; those that were asked for lately are remembered."""
    known = _remembered(subject)
    wanted = [(samples, i) for samples, chosen in positions for i in chosen.tolist()]
    missing = [(samples, i) for samples, i in wanted if (samples.sha256, i) not in known]
    if missing:
        glyphs = torch.stack([samples.images[i] for samples, i in missing])
        for (samples, i), row in zip(missing, embed_glyphs(subject, None, glyphs, tell=tell), strict=True):
            known[samples.sha256, i] = row
    first, second = (np.stack([known[samples.sha256, i] for i in chosen.tolist()]) for samples, chosen in positions)
    return first, second


def _remembered(subject: Subject) -> dict[tuple[str, int], np.ndarray]:
    """Embeddings by data set's hash and position; of the last `REMEMBERED` networks, up to some megabytes each."""
    found = _embeddings.setdefault(subject, {})
    _embeddings.move_to_end(subject)
    while len(_embeddings) > REMEMBERED:
        _embeddings.popitem(last=False)
    if len(found) > 4 * (MOST_TAUGHT + MOST_TESTED):
        found.clear()
    return found


def retrain_letters(
    source: Network,
    before: LettersSet,
    after: LettersSet,
    config: TransferConfig,
    tell: Tell,
    preparation: str = "ours",
) -> Retrained:
    """A letters set as it was and as it is, cross-validated in the same folds.

    Each letter of `after` is judged by its label there, by two networks that were taught without its picture: one the
    other pictures of `before`, one those of `after`. Raises `TrainingError` where a letter has only one picture.
    """
    was, now = ({letter.png: letter.label for letter in letters.letters} for letters in (before, after))
    glyphs = {png: glyph for png in (*now, *was) if (glyph := glyph_of(png, preparation)) is not None}
    pngs = list(glyphs)
    classes = tuple(dict.fromkeys((*after.classes, *before.classes)))
    judged = [i for i, png in enumerate(pngs) if png in now]
    truth = np.array([classes.index(now[pngs[i]]) for i in judged], np.int64)
    rarest = int(np.unique(truth, return_counts=True)[1].min()) if len(truth) else 0
    if rarest < 2:
        raise TrainingError("Each letter needs two pictures at least, one of which is held out; collect more first.")
    images = torch.from_numpy(np.stack(list(glyphs.values())))
    logits = [np.full((len(judged), len(classes)), NEVER) for _ in (was, now)]
    folds = min(FOLDS, rarest)
    splitter = StratifiedKFold(folds, shuffle=True, random_state=config.seed)
    for number, (_, held_out) in enumerate(splitter.split(truth, truth)):
        out = {judged[i] for i in held_out}
        for place, labels in enumerate((was, now)):
            teaching = [i for i, png in enumerate(pngs) if i not in out and png in labels]
            answers, known = _taught_answers(
                source, images, teaching, [labels[pngs[i]] for i in teaching], [judged[i] for i in held_out], config
            )
            logits[place][np.ix_(held_out, [classes.index(label) for label in known])] = answers
            tell(2 * number + place + 1, 2 * folds)
    first, second = (result_of(found, truth, classes) for found in logits)
    changed = sum(was.get(png) != now.get(png) for png in {*was, *now})
    judged_changed = sum(was.get(pngs[i]) != now[pngs[i]] for i in judged)
    return Retrained(first, second, _difference(first, second), len(judged), changed, len(judged), judged_changed)


def _taught_answers(
    source: Network,
    images: torch.Tensor,
    teaching: Sequence[int],
    labels: Sequence[str],
    held_out: Sequence[int],
    config: TransferConfig,
) -> tuple[np.ndarray, tuple[str, ...]]:
    """The logits `(H, C)` for the held-out glyphs, and their classes."""
    known = tuple(dict.fromkeys(labels))
    if len(known) < 2:
        raise TrainingError("At least two letters must be left to tell apart; collect more first.")
    numbers = torch.tensor([known.index(label) for label in labels])
    *_, last = teach(source, Samples("letters", "train", images[list(teaching)], numbers, known), config)
    assert isinstance(last, Taught)
    asked = Samples("letters", "test", images[list(held_out)], torch.zeros(len(held_out), dtype=torch.int64), known)
    answers = predict(last.network, asked)
    assert answers is not None  # nobody stops this
    return answers.numpy(), known


def _fit(
    rows: np.ndarray, labels: np.ndarray, asked: np.ndarray, classes: int, tell: Callable[[float], None]
) -> np.ndarray:
    """The logits `(M, C)` of a logistic regression that learned these rows, for the rows `asked`."""
    known = np.unique(labels)
    if len(known) < 2:
        raise TrainingError("At least two classes must be left to tell apart; bring samples back first.")
    model = LogisticRegression(max_iter=ITERATIONS, warm_start=True, tol=1e-5)
    for number in range(ROUNDS):
        # one thread: on a busy machine two waited for each other for 15 s, where one took 0.1 s
        with warnings.catch_warnings(), threadpool_limits(1):
            warnings.simplefilter("ignore", ConvergenceWarning)  # the next round goes on from there
            model.fit(rows, labels)
        tell((number + 1) / ROUNDS)
        if model.n_iter_.max() < ITERATIONS:
            break
    logits = np.full((len(asked), classes), NEVER)
    found = model.decision_function(asked)
    logits[:, known] = np.stack([-found / 2, found / 2], axis=1) if len(known) == 2 else found
    return logits


def _difference(before: TestResult, after: TestResult) -> Difference:
    """`compare` puts the better one first."""
    same = "the same held-out samples"
    return compare([Candidate(WITH, after, same), Candidate(WITHOUT, before, same)]).differences[0]


def _numbers(samples: Samples, classes: tuple[str, ...]) -> torch.Tensor:
    """The labels as numbers of these classes."""
    return torch.tensor([classes.index(label) for label in samples.classes])[samples.labels]
