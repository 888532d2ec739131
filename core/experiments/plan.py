"""What a study will have to train: its trials, and the trainings that are left once work is shared and known."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.experiments.dimensions import Configuration
from core.experiments.ledger import Ledger
from core.experiments.search import Known, Search, frozen
from core.experiments.study import Study
from core.experiments.unit import Unit

MOST_DRAWN = 1000  # trials of a study that draws; more are taken for alike
REHEARSALS = 5  # of a search one at a time, with accuracies made up
NOISE = 0.3  # of the made-up accuracies, against effects of 1
KEYS_A_QUERY = 500


@dataclass(frozen=True)
class Planned:
    """One training run and how often it is repeated; trials that differ in their epochs only share it."""

    configuration: Configuration  # with the most epochs
    setup: str  # as a unit has it
    units: tuple[Unit, ...]  # that are left to train
    trials: int  # that it answers
    epochs: int


@dataclass(frozen=True)
class Plan:
    runs: tuple[Planned, ...]
    trials: int
    known: int  # single trainings that the storage holds already
    scale: float = 1.0  # more trials than were drawn: each run stands for so many
    exact: bool = True  # whether the trials are known beforehand

    @property
    def trainings(self) -> int:
        return round(self.scale * sum(len(run.units) for run in self.runs))


def planned(study: Study, data_sha256: str, ledger: Ledger | None = None) -> Plan:
    """The trials of the study, in their order; those that a search or chance chooses are rehearsed.

    A search one at a time goes where the accuracies lead it: it is rehearsed with accuracies made up of an effect of
    each value and chance, and the rehearsal of middle length counts. Raises `ExperimentError` where nothing can be.
    """
    wanted = study.trials if study.strategy in ("random", "tpe") else 0
    if study.strategy == "one-at-a-time":
        walks = sorted((_walk(study, random.Random(number)) for number in range(REHEARSALS)), key=len)
        configurations = walks[REHEARSALS // 2]
    else:
        drawn = replace(study, strategy="random", trials=min(wanted, MOST_DRAWN)) if wanted else study
        configurations = _all(drawn)
    scale = wanted / len(configurations) if len(configurations) == MOST_DRAWN < wanted else 1.0
    runs = _shared(study, configurations, data_sha256)
    there = _finished(ledger, [unit.key for run in runs for unit in run.units]) if ledger else set()
    left = [replace(run, units=tuple(unit for unit in run.units if unit.key not in there)) for run in runs]
    trials = round(scale * len(configurations))
    return Plan(tuple(left), trials, len(there), scale, study.strategy == "grid")


def units_of(study: Study, setup: str, data_sha256: str) -> tuple[Unit, ...]:
    folds, seeds = range(max(1, study.folds)), range(study.seed, study.seed + study.seeds)
    return tuple(Unit(setup, data_sha256, seed, fold, study.folds) for seed in seeds for fold in folds)


def _all(study: Study) -> list[Configuration]:
    search, known, found = Search(study), Known(), []
    while (configuration := search.next(known)) is not None:
        known.begun.add(frozen(configuration))
        found.append(configuration)
    return found


def _walk(study: Study, rng: random.Random) -> list[Configuration]:
    effects: dict[tuple[str, Any], float] = {}
    search, known, found = Search(study), Known(), []
    while (configuration := search.next(known)) is not None:
        accuracy = rng.gauss(0, NOISE)
        for item in configuration.items():
            accuracy += effects.setdefault(item, rng.gauss(0, 1))
        known.begun.add(frozen(configuration))
        known.accuracy[frozen(configuration)] = accuracy
        found.append(configuration)
    return found


def _shared(study: Study, configurations: Sequence[Configuration], data_sha256: str) -> list[Planned]:
    longest: Mapping[str, int] = {"epochs": study.longest} if study.longest else {}
    found: dict[str, Planned] = {}
    for configuration in configurations:
        whole: Configuration = {**configuration, **longest}
        setup = study.setup(whole)
        text = setup.text()
        if text in found:
            found[text] = replace(found[text], trials=found[text].trials + 1)
        else:
            found[text] = Planned(whole, text, units_of(study, text, data_sha256), 1, setup.epochs)
    return list(found.values())


def _finished(ledger: Ledger, keys: list[str]) -> set[str]:
    there: set[str] = set()
    for start in range(0, len(keys), KEYS_A_QUERY):
        found = ledger.read(keys[start : start + KEYS_A_QUERY])
        there |= {key for key, record in found.items() if record["state"] == "finished"}
    return there
