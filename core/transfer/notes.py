"""What a handful of letters does not allow to say, in sentences."""

from collections import defaultdict
from itertools import combinations

import torch

from core.data import Samples
from core.transfer.forgetting import Forgetting
from core.transfer.letters import Letters
from core.transfer.validation import CrossValidation

FEW = 5  # samples of a class, with which cross-validation says little
NAMED = 3


def notes_of(
    letters: Letters, validation: CrossValidation | None, tested: bool, forgetting: Forgetting | None = None
) -> tuple[str, ...]:
    """What to know before the figures are believed."""
    samples = letters.samples
    counts = torch.bincount(samples.labels, minlength=len(samples.classes)).tolist()
    single = [label for label, count in zip(samples.classes, counts, strict=True) if count == 1]
    notes = [twin.sentence for twin in twins(samples)]
    if single:
        notes.append(
            f"There is one sample only of {_names(single)}: whether others of it are read cannot be said, since "
            "nothing is left to ask when it teaches. Add a second."
        )
    if validation is None and not tested:
        notes.append("Nothing was measured on letters that did not teach: add samples, or a test set.")
    few = [label for label, count in zip(samples.classes, counts, strict=True) if 1 < count < FEW]
    if few and not tested:
        notes.append(f"Of {_names(few)} there are fewer than {FEW} samples: the interval says how little that tells.")
    if letters.lost:
        notes.append(f"No symbol was found in {len(letters.lost)} pictures: they taught nothing.")
    if forgetting is not None:
        notes += forgetting.sentences
    return tuple(notes)


class Twins:
    """Two classes that hold the same pictures."""

    def __init__(self, first: str, second: str, count: int) -> None:
        self.first, self.second, self.count = first, second, count

    @property
    def sentence(self) -> str:
        pictures = "the same picture" if self.count == 1 else f"{self.count} pictures"
        return (
            f"{self.first} and {self.second} hold {pictures}{'' if self.count == 1 else ' that are the same'}: nothing "
            "can tell these apart. Remove or relabel them."
        )


def twins(samples: Samples) -> tuple[Twins, ...]:
    """Pairs of classes that share glyphs, pixel for pixel."""
    holders: dict[bytes, set[int]] = defaultdict(set)
    for image, label in zip(samples.images.numpy(), samples.labels.tolist(), strict=True):
        holders[image.tobytes()].add(label)
    shared: dict[tuple[int, int], int] = defaultdict(int)
    for labels in holders.values():
        for pair in combinations(sorted(labels), 2):
            shared[pair] += 1
    return tuple(Twins(samples.classes[a], samples.classes[b], count) for (a, b), count in sorted(shared.items()))


def _names(labels: list[str]) -> str:
    more = f" and {len(labels) - NAMED} more" if len(labels) > NAMED else ""
    return ", ".join(labels[:NAMED]) + more
