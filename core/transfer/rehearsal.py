"""Rehearsal: samples of what a network reads already, learned again beside the letters so that it is not forgotten."""

from dataclasses import dataclass, replace

import torch

from core.data import Samples, load
from core.data.alphabet import DIGITS, GREEK
from core.errors import InklingError, TrainingError
from core.networks import Passport, TrainedNetwork
from core.transfer.letters_store import open_letters
from core.transfer.preparation import letters_of

# Samples of each class that are rehearsed, where there are so many: beside a handful of letters, and beside many. With
# 22 generated Greek letters, 100 samples of each, `digits` lost 0.36 points of MNIST by 500 and 0.21 by 2,500 (the last
# two dense layers taught; 0.67 and 0.31 by a new output layer), in twice the time.
A_CLASS, A_CLASS_BESIDE_MANY = 500, 2500
MANY_LETTERS = 500
EMBEDDED = {tuple(DIGITS): "strokes-digits", tuple(GREEK): "strokes-greek"}
LETTERS = "letters "  # how the data of a network that was taught letters are called in its passport


@dataclass(frozen=True, eq=False)
class Rehearsal:
    """Samples of the source's classes, in random order, and what a network that reads both tells apart."""

    samples: Samples  # numbered as `classes` are
    known: tuple[str, ...]  # the source's classes
    classes: tuple[str, ...]  # these first, then the letters that are new
    own: bool  # whether they are what taught the source, and not generated in their place

    @property
    def sentence(self) -> str:
        """Which samples were rehearsed."""
        what = "which taught the network" if self.own else "generated, since what taught the network is not at hand"
        return f"Rehearsed: {len(self.samples):,} samples of {self.samples.name} ({what})."


def rehearsal_of(source: TrainedNetwork, letters: Samples, seed: int) -> Rehearsal:
    """Some hundred samples of each class: of what taught the source, or else embedded ones of the same classes.

    Raises `TrainingError` where there are neither: without any, the classes would be forgotten unseen.
    """
    samples, own = _samples(source.passport)
    a_class = A_CLASS if len(letters) < MANY_LETTERS else A_CLASS_BESIDE_MANY
    known = source.passport.classes
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(samples), generator=generator)
    chosen = [order[samples.labels[order] == number][:a_class] for number in range(len(known))]
    index = torch.cat(chosen)
    index = index[torch.randperm(len(index), generator=generator)]
    classes = known + tuple(label for label in letters.classes if label not in known)
    return Rehearsal(replace(samples.take(index), classes=classes), known, classes, own)


def _samples(passport: Passport) -> tuple[Samples, bool]:
    """Samples numbered as the network's classes are, and whether they are its own."""
    name = str(passport.training.get("dataset") or passport.dataset or "")
    try:
        found = letters_of(open_letters(name.removeprefix(LETTERS))).samples if name.startswith(LETTERS) else load(name)
        if set(found.classes) == set(passport.classes):
            numbers = torch.tensor([passport.classes.index(label) for label in found.classes])
            return replace(found, labels=numbers[found.labels], classes=passport.classes), True
        reason = "they hold other classes now"
    except InklingError as error:
        reason = str(error)
    if embedded := EMBEDDED.get(passport.classes):
        return load(embedded), False
    raise TrainingError(
        f"The classes of {passport.name!r} cannot be kept: the samples that taught it cannot be had ({reason}) Teach "
        "the letters alone, or bring the samples back."
    )
