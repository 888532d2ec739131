"""`Study`: a question, what is varied to answer it, and how; the same thing as a form and as a TOML file."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any, NamedTuple

from core.data.registry import LOADERS, READERS
from core.errors import ExperimentError, InklingError
from core.experiments import OBJECTIVES, PRUNING, STRATEGIES
from core.experiments.dimensions import DIMENSIONS, Configuration, Setup, Value, setup_of

FORMAT = 1  # of a study's record; a study of another one is not touched
MOST_COMBINATIONS = 10_000  # of a grid; each is a training
MOST_VALUES = 200  # of one dimension
MOST_TEXT = 2000  # characters of question and hypothesis
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
LIMITS = {"seeds": (1, 100), "trials": (1, 100_000), "rounds": (1, 10), "folds": (0, 20), "seed": (0, 2**31)}


@dataclass(frozen=True)
class Range:
    """All numbers from `low` to `high`, both included, for the strategies that draw; `log`: by their logarithm."""

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        numbers = all(isinstance(n, int | float) and not isinstance(n, bool) for n in (self.low, self.high))
        if not numbers or not math.isfinite(self.low) or not math.isfinite(self.high) or self.low >= self.high:
            raise ExperimentError(f"A range needs two numbers, low below high; {self.low!r} and {self.high!r} came.")
        if not isinstance(self.log, bool) or (self.log and self.low <= 0):
            raise ExperimentError("A range by logarithm (log = true) begins above 0.")


class Count(NamedTuple):
    """How many configurations a grid has, and why some of them cannot be: (how many, the reason of the first)."""

    possible: int
    impossible: tuple[tuple[int, str], ...]


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
        if self.minutes is not None and (not _is_number(self.minutes) or self.minutes <= 0):
            raise ExperimentError(f"minutes must be a number above 0, not {self.minutes!r}.")
        self._check_objectives()
        object.__setattr__(self, "dimensions", _checked_dimensions(self.dimensions))
        object.__setattr__(self, "settings", _checked_settings(self.settings, self.dimensions))
        self._check_together()

    def _check_objectives(self) -> None:
        if not self.objectives or len(set(self.objectives)) != len(self.objectives):
            raise ExperimentError(f"objectives are one or two of: {', '.join(OBJECTIVES)}.")
        for objective in self.objectives:
            _check_one_of("objectives", objective, tuple(OBJECTIVES))

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
        if self.pruning != "none" and len(self.objectives) > 1:
            raise ExperimentError('Trials are pruned by one objective only; take pruning = "none" or one objective.')
        if self.pruning != "none" and "epochs" in self.dimensions:
            raise ExperimentError("All epochs are read off one run, which pruning would cut; take one of the two.")
        if "epochs" in self.dimensions and self.settings.get("schedule", "constant") != "constant":
            raise ExperimentError(
                'With epochs as a dimension, all are read off one run, which needs schedule = "constant" (a one-cycle '
                "is planned over its epochs)."
            )
        if not any(self.dataset == name or self.dataset.startswith(f"{kind.partition(':')[0]}:")
                   for name in LOADERS for kind in READERS):  # fmt: skip
            raise ExperimentError(
                f"Unknown data set {self.dataset!r}; choose one of: {', '.join([*LOADERS, *READERS])}."
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

    def setup(self, configuration: Configuration) -> Setup:
        """The training of a configuration; raises `InklingError` where there cannot be one."""
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
        """Of a grid: what is possible, and the reasons for what is not, the commonest first."""
        reasons: dict[str, int] = {}
        possible = 0
        for configuration in self.grid():
            problem = self.problem(configuration)
            possible += not problem
            if problem:
                reasons[problem] = reasons.get(problem, 0) + 1
        ordered = sorted(reasons.items(), key=lambda item: -item[1])
        return Count(possible, tuple((number, reason) for reason, number in ordered))

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
        if version != FORMAT:
            raise ExperimentError(
                f"This study is of format {version!r}; this version of Inkling knows format {FORMAT}. Open it with the "
                "version that made it, or start it anew under another name."
            )
        dimensions = record.pop("dimensions", None)
        if not isinstance(dimensions, dict) or not dimensions:
            raise ExperimentError("A study needs [dimensions]: at least one with the values to try.")
        own = {field: record.pop(field) for field in _OWN if field in record}
        if unknown := [field for field in record if field not in DIMENSIONS]:
            raise ExperimentError(
                f"Unknown: {', '.join(map(str, unknown))}. A study has {', '.join(_OWN)}, any of the dimensions as "
                f"a fixed setting ({', '.join(DIMENSIONS)}), and [dimensions]."
            )
        if "question" not in own:
            raise ExperimentError('A study needs its question = "…".')
        if isinstance(own.get("objectives"), list):
            own["objectives"] = tuple(own["objectives"])
        return cls(**{"name": name} | own, dimensions=dimensions, settings=record)


_OWN = (
    "question", "hypothesis", "name", "dataset", "network", "strategy", "objectives", "seeds", "seed", "trials",
    "rounds", "folds", "pruning", "minutes",
)  # fmt: skip


def _checked_dimensions(dimensions: Mapping[str, Any]) -> dict[str, tuple[Value, ...] | Range]:
    checked: dict[str, tuple[Value, ...] | Range] = {}
    for name, values in dimensions.items():
        if name not in DIMENSIONS:
            raise ExperimentError(f"Unknown dimension {name!r}; choose among: {', '.join(DIMENSIONS)}.")
        if isinstance(values, dict):
            if set(values) - {"low", "high", "log"} or not {"low", "high"} <= set(values):
                raise ExperimentError(f"The range of {name} is {{ low = …, high = …, log = true }}, not {values!r}.")
            values = Range(**values)
        if isinstance(values, Range):
            if DIMENSIONS[name].kind not in (int, float):
                raise ExperimentError(f"{name} takes a list of values, not a range.")
            checked[name] = values
            continue
        if not isinstance(values, list | tuple) or not 1 <= len(values) <= MOST_VALUES:
            raise ExperimentError(f"{name} needs a list of 1 to {MOST_VALUES} values to try, not {values!r}.")
        options = tuple(checked_value(name, value) for value in values)
        if len(set(map(repr, options))) != len(values):
            raise ExperimentError(f"{name} names a value twice: {', '.join(map(text_of, options))}.")
        checked[name] = options
    return checked


def _checked_settings(settings: Configuration, dimensions: Mapping[str, Any]) -> Configuration:
    for name in settings:
        if name in dimensions:
            raise ExperimentError(f"{name} stands among the fixed settings and the dimensions; leave one of them out.")
    return {name: checked_value(name, value) for name, value in settings.items()}


def checked_value(name: str, value: Any) -> Value:
    """A dimension's value as it is kept; raises `ExperimentError` for one of the wrong kind."""
    kind = DIMENSIONS[name].kind
    if kind is None:
        if isinstance(value, list | tuple) and value and all(_is_whole(number) for number in value):
            return tuple(value)
        kind = int
    fits = _is_whole(value) if kind is int else _is_number(value) if kind is float else isinstance(value, kind)
    if not fits:
        wanted = {int: "a whole number", float: "a number", str: "a word", bool: "true or false"}[kind]
        raise ExperimentError(f"{name} takes {wanted}, not {value!r}.")
    return float(value) if kind is float else value


def text_of(value: Value) -> str:
    """A value for people, and for a storage that knows words and numbers only."""
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _plain(values: Any) -> Any:
    if isinstance(values, Range):
        return {"low": values.low, "high": values.high} | ({"log": True} if values.log else {})
    return [_plain(value) for value in values] if isinstance(values, tuple) else values


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _check_whole(name: str, value: object, low: int, high: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ExperimentError(f"{name} must be a whole number from {low} to {high}, not {value!r}.")


def _check_one_of(name: str, value: object, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ExperimentError(f"{name} must be one of {', '.join(known)}, not {value!r}.")


def _check_text(name: str, value: object, needed: bool = False) -> None:
    if not isinstance(value, str) or len(value) > MOST_TEXT or (needed and not value.strip()):
        raise ExperimentError(f"{name} is a text of {'1' if needed else '0'} to {MOST_TEXT} characters.")
