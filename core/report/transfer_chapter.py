"""The chapter about letters that were taught to a network: from what, how, and how well it really reads them.

Everything is known of an attempt. Of a network of the store there is the passport; where the teaching is still
remembered, or can be repeated in a second or two and gives the very same weights, the chapter tells all the same.
"""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import torch

from core.errors import InklingError
from core.networks import Passport, TrainedNetwork, open_network
from core.reading import written
from core.report.document import Block, Chapter, Table, Text
from core.report.transfer_blocks import ABOUT, TITLE, attempt_blocks
from core.report.transfer_tables import METHOD_TITLES
from core.training.results import wilson
from core.transfer import job
from core.transfer.attempt import Attempt, attempt
from core.transfer.learning_curve import LearningCurve
from core.transfer.letters_store import list_letters, open_letters
from core.transfer.methods import FROZEN, TransferConfig
from core.transfer.preparation import PREPARATIONS, letters_of
from core.transfer.sure_job import SureJob
from core.transfer.teach_job import TeachJob


def transfer_chapter(name: str) -> Chapter | None:
    """What was taught to the network `name`; None where no letters were."""
    trained = open_network(name)
    if not was_taught(trained.passport):
        return None
    found = _remembered(trained)
    said = "As it was measured when it was taught."
    if found is None and (found := _repeated(trained)) is not None:
        said = "Taught again for this report: the same letters and seed gave the very same weights."
    if found is None:
        return Chapter(TITLE, list(_recorded_blocks(trained)))
    return Chapter(TITLE, [Text(said), *attempt_blocks(found, _origins(trained.passport), _curve(trained.passport))])


def was_taught(passport: Passport) -> bool:
    """Whether letters were taught to it: its training record names the network it came from and the method."""
    return "from" in passport.training and passport.training.get("method") in ABOUT


def _recorded_blocks(trained: TrainedNetwork) -> Iterator[Block]:
    """What the passport tells."""
    passport = trained.passport
    told, metrics = passport.training, passport.metrics
    method = told["method"]
    taught = passport.data.get("train", [])
    pictures = taught[0].get("samples", 0) if taught else 0
    yield Text(
        f"A copy of the network {told['from']} was taught {', '.join(written(label) for label in passport.classes)} "
        f"from {pictures} pictures. The method: {METHOD_TITLES[method]}; {ABOUT[method]}."
    )
    yield Text(
        "These are the figures that its passport keeps. Pictures, curves and each letter's figures are told as long as "
        "the server remembers the teaching, and for quick methods as long as the letters set and the source are in "
        "the store as they were."
    )
    rows = []
    test = passport.data.get("test", {}).get("samples", 0)
    for key, what, count in (
        ("test_accuracy", "on the test set", test),
        ("cross_validated_accuracy", "by cross-validation", pictures),
        ("train_accuracy", "on what taught it", pictures),
    ):
        if isinstance(value := metrics.get(key), float):
            rows.append([what, f"{value:.1%}", _interval(value, count) if key != "train_accuracy" else "–", count])
    if {"kept_before", "kept_after"} <= metrics.keys():
        rows.append(["the source's classes, before", f"{metrics['kept_before']:.2%}", "–", "–"])
        rows.append(["the source's classes, after", f"{metrics['kept_after']:.2%}", "–", "–"])
    yield Table(
        ["measured", "right", "95 % interval", "pictures"], rows,
        "What is right on the pictures that taught says nothing about others.",
    )  # fmt: skip
    yield Table(["setting", "value"], [[key.replace("_", " "), str(value)] for key, value in told.items()])


def _interval(share: float, count: int) -> str:
    """Wilson's; "–" where the share is none of so many pictures (some could not be held back)."""
    right = round(share * count)
    if not count or abs(right - share * count) > 1e-3:
        return "–"
    low, high = wilson(right, count)
    return f"{low:.1%} to {high:.1%}"


def _set_name(passport: Passport) -> str:
    taught = passport.data.get("train", [])
    return str(taught[0].get("name", "")) if taught else ""


def _remembered(trained: TrainedNetwork) -> Attempt | None:
    """The attempt that this network was kept from, while the server remembers it."""
    found = job.ended("teach", _set_name(trained.passport))
    if not isinstance(found, TeachJob):
        return None
    kept = (one.attempt for one in found.done if trained.name in one.kept and one.attempt is not None)
    return next((tried for tried in kept if _is_this(trained, tried)), None)


def _repeated(trained: TrainedNetwork) -> Attempt | None:
    """The teaching done again, where that is quick and leads to the very weights that are kept."""
    passport = trained.passport
    told: dict[str, Any] = passport.training
    if told["method"] not in FROZEN or told.get("keep_classes") or passport.data.get("test"):
        return None
    if (name := _set_name(passport)) not in list_letters():
        return None
    known = {field.name for field in fields(TransferConfig)}
    try:
        config = TransferConfig(**{key: value for key, value in told.items() if key in known})
        source = open_network(told["from"])
        for preparation in PREPARATIONS:
            letters = letters_of(open_letters(name), preparation)
            if letters.samples.sha256 != passport.data["train"][0].get("sha256"):
                continue
            *_, last = attempt(source, letters, config)
            if isinstance(last, Attempt) and _is_this(trained, last):
                return last
    except InklingError:
        return None  # the source or the letters are not as they were: the passport's figures are told instead
    return None


def _is_this(trained: TrainedNetwork, tried: Attempt) -> bool:
    """Whether the attempt's network is the one that is kept, weight by weight."""
    kept, made = trained.module().state_dict(), tried.network.state_dict()
    return kept.keys() == made.keys() and all(torch.equal(kept[key], made[key]) for key in kept)


def _origins(passport: Passport) -> dict[str, str]:
    """Picture → where it comes from, as far as the letters set is there."""
    if (name := _set_name(passport)) not in list_letters():
        return {}
    return {letter.id: letter.origin for letter in open_letters(name).letters}


def _curve(passport: Passport) -> LearningCurve | None:
    """Of these letters and this source, where it was computed and is remembered."""
    found = job.ended("sure", _set_name(passport))
    if not isinstance(found, SureJob) or found.attempt is None or found.question.source != passport.training["from"]:
        return None
    taught = passport.data.get("train", [{}])[0].get("sha256")
    return found.curve if found.attempt.letters.samples.sha256 == taught else None
