"""`Study`: a question, what is varied to answer it, and how; the same thing as a form and as a TOML file."""

import math
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any, NamedTuple

from core.data.registry import LOADERS, READERS
from core.errors import ExperimentError, InklingError
from core.experiments import OBJECTIVES, PRUNING, STRATEGIES
from core.experiments.dimensions import (
    DIMENSIONS,
    Configuration,
    Value,
    checked_value,
    cut,
    is_number,
    is_whole,
    short,
    text_of,
)
from core.experiments.setups import AnySetup, Setup, setup_of

FORMAT = 1  # of a study's record; a study of another one is not touched
MOST_COMBINATIONS = 10_000  # of a grid; each is a training
MOST_VALUES = 200  # of one dimension
MOST_TEXT = 2000  # characters of question and hypothesis
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
LIMITS = {
    "seeds": (1, 100), "trials": (1, 100_000), "rounds": (1, 10), "folds": (0, 20), "seed": (0, 2**31),
    "final_epochs": (0, 1000),
}  # fmt: skip
LOOKED_AT = 2000  # combinations drawn to say how many are possible, where there are too many to try each
__all__ = ["AnySetup", "Count", "Range", "Setup", "Study", "text_of"]


@dataclass(frozen=True)
class Range:
    """All numbers from `low` to `high`, both included, for the strategies that draw; `log`: by their logarithm."""

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        if not is_number(self.low) or not is_number(self.high) or self.low >= self.high:
            raise ExperimentError(
                f"A range needs two numbers, low below high; {short(self.low)} and {short(self.high)} came."
            )
        if not isinstance(self.log, bool) or (self.log and self.low <= 0):
            raise ExperimentError("A range by logarithm (log = true) begins above 0.")


class Count(NamedTuple):
    """How many configurations can be, and why others cannot: (how many, their reason), the commonest first.

    Of all combinations, or of `looked_at` drawn at random where there are more than a grid may have, or ranges.
    """

    possible: int
    impossible: tuple[tuple[int, str], ...]
    looked_at: int


@dataclass(frozen=True)
class Study:
    question: str
    dimensions: Mapping[str, tuple[Value, ...] | Range] = field(hash=False)
    name: str = "study"
    hypothesis: str = ""  # written before the run
    dataset: str = "mnist"
    network: str = "cnn"
    settings: Configuration = field(default_factory=dict, hash=False)  # what is held fixed
    strategy: str = "grid"
    objectives: tuple[str, ...] = ("accuracy",)  # on validation samples; "seconds": of training, on one thread
    seeds: int = 1  # repetitions of each configuration
    seed: int = 0  # the first repetition's
    trials: int = 50  # for random and tpe
    rounds: int = 2  # of one-at-a-time, over all dimensions
    folds: int = 0  # cross-validation in place of one validation part
    pruning: str = "none"
    minutes: float | None = None  # no trial begins later; None: no limit
    # How long the winner is trained when it is trained anew with fresh seeds, on all training samples, and scored on
    # the test set; 0: as long as in the study. (A grid search compares short trainings, then trains the best longer.)
    final_epochs: int = 0

    def __post_init__(self) -> None:
        _check_text("question", self.question, needed=True)
        _check_text("hypothesis", self.hypothesis)
        if not isinstance(self.name, str) or not NAME.fullmatch(self.name):
            raise ExperimentError(
                "A study's name has up to 60 small letters, digits, - and _, such as 'dropout-helps', not "
                f"{self.name!r}."
            )
        _check_one_of("strategy", self.strategy, STRATEGIES)
        _check_one_of("pruning", self.pruning, PRUNING)
        for name, (low, high) in LIMITS.items():
            _check_whole(name, getattr(self, name), low, high)
        if self.folds == 1:
            raise ExperimentError("folds must be 0 (one validation part) or 2 and more, not 1.")
        if self.minutes is not None and (not is_number(self.minutes) or self.minutes <= 0):
            raise ExperimentError(f"minutes must be a number above 0, not {short(self.minutes)}.")
        self._check_objectives()
        object.__setattr__(self, "dimensions", _checked_dimensions(self.dimensions))
        object.__setattr__(self, "settings", _checked_settings(self.settings, self.dimensions))
        self._check_together()

    def _check_objectives(self) -> None:
        known = isinstance(self.objectives, tuple) and all(
            isinstance(objective, str) and objective in OBJECTIVES for objective in self.objectives
        )
        if not known or not self.objectives or len(set(self.objectives)) != len(self.objectives):
            raise ExperimentError(
                f"objectives are a list of one or two of: {', '.join(OBJECTIVES)}; {short(self.objectives)} came."
            )

    def _check_together(self) -> None:
        ranges = [name for name, values in self.dimensions.items() if isinstance(values, Range)]
        if ranges and self.strategy in ("grid", "one-at-a-time"):
            raise ExperimentError(
                f"{self.strategy} needs a list of values for {ranges[0]}; a range is for random or tpe."
            )
        if self.strategy == "grid" and self.combinations > MOST_COMBINATIONS:
            raise ExperimentError(
                f"The grid has {self.combinations:,} combinations; {MOST_COMBINATIONS:,} is the most. Take fewer "
                "values, or the strategy one-at-a-time, random or tpe."
            )
        if self.pruning != "none" and self.objectives != ("accuracy",):
            raise ExperimentError('Trials are pruned by their accuracy; take pruning = "none" or that objective alone.')
        if self.pruning != "none" and "epochs" in self.dimensions:
            raise ExperimentError("All epochs are read off one run, which pruning would cut; take one of the two.")
        if "epochs" in self.dimensions and {self.settings.get("schedule", "constant"), *self._of("schedule")} != {
            "constant"
        }:
            raise ExperimentError(
                'With epochs as a dimension, all are read off one run, which needs schedule = "constant" (a one-cycle '
                "is planned over its epochs)."
            )
        if ("source" in self.dimensions or "source" in self.settings) and not self.folds:
            raise ExperimentError("Transfer is scored by cross-validation; set folds = 3, or more.")
        self._check_dataset()

    def _of(self, name: str) -> tuple[Value, ...]:
        values = self.dimensions.get(name, ())
        return () if isinstance(values, Range) else values

    def _check_dataset(self) -> None:
        if not isinstance(self.dataset, str) or len(self.dataset) > MOST_TEXT:
            raise ExperimentError(f"dataset is a data set's name, such as 'mnist', not {short(self.dataset)}.")
        # a fixed network is a setting like any other; the name is checked as such
        object.__setattr__(self, "network", checked_value("network", self.network))
        if "network" in self.settings:
            raise ExperimentError("network stands twice; leave one of them out.")
        readers = [kind.partition(":")[0] for kind in READERS]
        if self.dataset not in LOADERS and self.dataset.partition(":")[0] not in readers:
            raise ExperimentError(
                f"Unknown data set {short(self.dataset)}; choose one of: {', '.join([*LOADERS, *READERS])}."
            )

    @property
    def combinations(self) -> int:
        """Of all values; a range counts as one."""
        return math.prod(1 if isinstance(values, Range) else len(values) for values in self.dimensions.values())

    @property
    def shares_epochs(self) -> bool:
        """Whether trials that differ in their epochs only share a run."""
        return "epochs" in self.dimensions

    @property
    def longest(self) -> int | None:
        """The epochs that a shared run is trained for."""
        values = self.dimensions.get("epochs")
        if values is None:
            return None
        return int(values.high) if isinstance(values, Range) else max(int(value) for value in values)  # type: ignore

    def setup(self, configuration: Configuration) -> AnySetup:
        """What a configuration stands for; raises `InklingError` where it cannot be carried out."""
        fixed = {"schedule": "constant"} if self.shares_epochs else {}
        return setup_of(self.dataset, self.network, fixed | self.settings | configuration)

    def grid(self) -> Iterator[Configuration]:
        """All combinations, possible or not; the epochs vary fastest, since they share a run."""
        names = sorted(self.dimensions, key=lambda name: name == "epochs")
        for values in product(*(self.dimensions[name] for name in names)):  # type: ignore[arg-type]
            chosen = dict(zip(names, values, strict=True))
            yield {name: chosen[name] for name in self.dimensions}

    def problem(self, configuration: Configuration) -> str:
        """Why the configuration cannot be trained; empty where it can."""
        try:
            self.setup(configuration)
        except InklingError as error:
            return str(error)
        return ""

    def count(self) -> Count:
        """What is possible, and the reasons for what is not, the commonest first; 10,000 take well under a second."""
        reasons: dict[str, int] = {}
        possible = looked_at = 0
        for configuration in self.some():
            problem = self.problem(configuration)
            looked_at += 1
            possible += not problem
            if problem:
                reasons[problem] = reasons.get(problem, 0) + 1
        ordered = sorted(reasons.items(), key=lambda item: -item[1])
        return Count(possible, tuple((number, reason) for reason, number in ordered), looked_at)

    @property
    def is_small(self) -> bool:
        """Whether all combinations can be gone through."""
        has_range = any(isinstance(values, Range) for values in self.dimensions.values())
        return not has_range and self.combinations <= MOST_COMBINATIONS

    def some(self, most: int = LOOKED_AT, seed: int = 0) -> Iterator[Configuration]:
        """All combinations where there are few, or `most` drawn at random; with the same seed the same ones."""
        if self.is_small:
            yield from self.grid()
            return
        rng = random.Random(seed)
        for _ in range(most):
            yield self.draw(rng)

    def draw(self, rng: random.Random) -> Configuration:
        """A combination, possible or not: each value alike likely, a range's evenly (or by its logarithm)."""
        return {name: _drawn(name, values, rng) for name, values in self.dimensions.items()}

    def to_json(self) -> dict[str, Any]:
        """As in the TOML file: fixed settings stand beside the others."""
        dimensions = {name: _plain(values) for name, values in self.dimensions.items()}
        own = {name: getattr(self, name) for name in _OWN}
        return (
            {"format": FORMAT} | own | {"objectives": list(self.objectives)}
            | {name: _plain(value) for name, value in self.settings.items()} | {"dimensions": dimensions}
        )  # fmt: skip

    @classmethod
    def from_json(cls, record: Any, name: str = "study") -> "Study":
        """The study that a TOML file or a storage holds; raises `ExperimentError`, with the field, for what is none."""
        if not isinstance(record, dict):
            raise ExperimentError("A study is a table of settings with [dimensions].")
        record = dict(record)
        version = record.pop("format", FORMAT)
        if version != FORMAT or isinstance(version, bool):
            raise ExperimentError(
                f"This study is of format {short(version)}; this version of Inkling knows format {FORMAT}. Open it "
                "with the version that made it, or start it anew under another name."
            )
        dimensions = record.pop("dimensions", None)
        if not isinstance(dimensions, dict) or not dimensions:
            raise ExperimentError("A study needs [dimensions]: at least one with the values to try.")
        own = {field: record.pop(field) for field in _OWN if field in record}
        if unknown := [field for field in record if field not in DIMENSIONS]:
            raise ExperimentError(
                f"Unknown: {cut(', '.join(map(str, unknown)))}. A study has {', '.join(_OWN)}, any of the dimensions "
                f"as a fixed setting ({', '.join(DIMENSIONS)}), and [dimensions]."
            )
        if "question" not in own:
            raise ExperimentError('A study needs its question = "…".')
        if isinstance(own.get("objectives"), list):
            own["objectives"] = tuple(own["objectives"])
        return cls(**{"name": name} | own, dimensions=dimensions, settings=record)


_OWN = (
    "question", "hypothesis", "name", "dataset", "network", "strategy", "objectives", "seeds", "seed", "trials",
    "rounds", "folds", "pruning", "minutes", "final_epochs",
)  # fmt: skip


def _checked_dimensions(dimensions: Mapping[str, Any]) -> dict[str, tuple[Value, ...] | Range]:
    if not isinstance(dimensions, Mapping) or not dimensions:
        raise ExperimentError("A study needs [dimensions]: at least one with the values to try.")
    for name in dimensions:
        if name not in DIMENSIONS:
            raise ExperimentError(f"Unknown dimension {short(name)}; choose among: {', '.join(DIMENSIONS)}.")
    return {name: _checked_values(name, values) for name, values in dimensions.items()}


def _checked_values(name: str, values: Any) -> tuple[Value, ...] | Range:
    if isinstance(values, dict):
        if set(values) - {"low", "high", "log"} or not {"low", "high"} <= set(values):
            raise ExperimentError(f"The range of {name} is {{ low = …, high = …, log = true }}, not {short(values)}.")
        values = Range(**values)
    if isinstance(values, Range):
        if DIMENSIONS[name].kind not in (int, float):
            raise ExperimentError(f"{name} takes a list of values, not a range.")
        return Range(checked_value(name, values.low), checked_value(name, values.high), values.log)  # type: ignore
    if not isinstance(values, list | tuple) or not 1 <= len(values) <= MOST_VALUES:
        came = f"{len(values):,} values" if isinstance(values, list | tuple) else short(values)
        raise ExperimentError(f"{name} needs a list of 1 to {MOST_VALUES} values to try, not {came}.")
    options = tuple(checked_value(name, value) for value in values)
    if len(set(map(text_of, options))) != len(values):  # as text, since tables and storages tell them apart so
        raise ExperimentError(f"{name} names a value twice: {cut(', '.join(map(text_of, options)))}.")
    return options


def _drawn(name: str, values: tuple[Value, ...] | Range, rng: random.Random) -> Value:
    if not isinstance(values, Range):
        return rng.choice(values)
    low, high = values.low, values.high
    if DIMENSIONS[name].kind is int:
        return min(int(high), int(math.exp(rng.uniform(math.log(low), math.log(high + 1))))) if values.log else (
            rng.randint(int(low), int(high))
        )  # fmt: skip
    return math.exp(rng.uniform(math.log(low), math.log(high))) if values.log else rng.uniform(low, high)


def _checked_settings(settings: Configuration, dimensions: Mapping[str, Any]) -> Configuration:
    for name in settings:
        if name not in DIMENSIONS:
            raise ExperimentError(f"Unknown setting {short(name)}; choose among: {', '.join(DIMENSIONS)}.")
        if name in dimensions:
            raise ExperimentError(f"{name} stands among the fixed settings and the dimensions; leave one of them out.")
    return {name: checked_value(name, value) for name, value in settings.items()}


def _plain(values: Any) -> Any:
    if isinstance(values, Range):
        return {"low": values.low, "high": values.high} | ({"log": True} if values.log else {})
    return [_plain(value) for value in values] if isinstance(values, tuple) else values


def _check_whole(name: str, value: object, low: int, high: int) -> None:
    if not is_whole(value) or not low <= value <= high:  # type: ignore[operator]
        raise ExperimentError(f"{name} must be a whole number from {low} to {high:,}, not {short(value)}.")


def _check_one_of(name: str, value: object, known: tuple[str, ...]) -> None:
    if not isinstance(value, str) or value not in known:
        raise ExperimentError(f"{name} must be one of {', '.join(known)}, not {short(value)}.")


def _check_text(name: str, value: object, needed: bool = False) -> None:
    if not isinstance(value, str) or len(value) > MOST_TEXT or (needed and not value.strip()):
        raise ExperimentError(f"{name} is a text of {'1' if needed else '0'} to {MOST_TEXT} characters.")
