"""Which configuration comes next: a function of what is known so far, so that every study can be gone on with."""

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

import optuna

from core.errors import ExperimentError
from core.experiments import OBJECTIVES
from core.experiments.dimensions import DIMENSIONS, Configuration, Value
from core.experiments.study import Range, Study, text_of

GUIDED_DRAWS = 20  # of TPE's for one trial; it may name the same few again and again
DRAWS = 2000
LISTED = 1000  # combinations in their order, among which the first possible one is looked for
Frozen = tuple[Value, ...]  # a configuration's values, in the study's order


@dataclass
class Known:
    """The configurations that were begun, and the first objective of those that ended; NaN for one that failed."""

    begun: set[Frozen] = field(default_factory=set)
    accuracy: dict[Frozen, float] = field(default_factory=dict)


def frozen(configuration: Configuration) -> Frozen:
    return tuple(configuration.values())


class Search:
    """Names the next configurations; impossible ones and ones begun before are never among them.

    Raises `ExperimentError` where no configuration is possible.
    """

    def __init__(self, study: Study) -> None:
        self._study = study
        self._problems: dict[Frozen, str] = {}
        self._rest = study.grid()
        listed = study.strategy in ("grid", "one-at-a-time")
        begin = islice(study.grid(), LISTED) if listed else iter(())
        self._first = next((c for c in chain(begin, study.some()) if not study.problem(c)), None)
        if self._first is None:
            what = "No combination of this study" if study.is_small else "None of many combinations tried"
            raise ExperimentError(f"{what} is possible: {study.count().impossible[0][1]}")

    def next(self, known: Known, guided: Callable[[], Configuration] | None = None) -> Configuration | None:
        """One that may begin now; None while others have to end first, or when there is nothing left.

        `guided` draws where the strategy is TPE.
        """
        if self._study.strategy == "grid":
            possible = (c for c in self._rest if frozen(c) not in known.begun and not self._study.problem(c))
            return next(possible, None)
        if self._study.strategy == "one-at-a-time":
            assert self._first is not None
            return next(iter(_one_at_a_time(self._study, self._first, known, self._is_possible)), None)
        return self._drawn(known, guided) if len(known.begun) < self._study.trials else None

    def _is_possible(self, configuration: Configuration) -> bool:
        """A walk asks for the same again and again."""
        key = frozen(configuration)
        if key not in self._problems:
            self._problems[key] = self._study.problem(configuration)
        return not self._problems[key]

    def _drawn(self, known: Known, guided: Callable[[], Configuration] | None) -> Configuration | None:
        """Drawn until one is possible and new; no trial is spent on others.

        The draws follow from the seed and the number of trials begun, so that a study that was cut off goes on alike.
        """
        rng = random.Random(self._study.seed * 100_003 + len(known.begun))
        guesses = (guided() for _ in range(GUIDED_DRAWS)) if guided else iter(())
        for drawn in chain(guesses, (self._study.draw(rng) for _ in range(DRAWS))):
            if frozen(drawn) not in known.begun and not self._study.problem(drawn):
                return drawn
        left = self._left(known) if self._study.is_small else []
        return rng.choice(left) if left else None

    def _left(self, known: Known) -> list[Configuration]:
        return [c for c in self._study.grid() if frozen(c) not in known.begun and not self._study.problem(c)]


def _one_at_a_time(
    study: Study, best: Configuration, known: Known, is_possible: Callable[[Configuration], bool]
) -> list[Configuration]:
    """The next step of a search along one axis after another, the others held at the best so far.

    Begins with `best`; ends after `rounds`, or a round that changed nothing.
    """
    sign = 1 if OBJECTIVES[study.objectives[0]] == "maximize" else -1
    for _ in range(study.rounds):
        before = best
        for name, values in study.dimensions.items():
            assert not isinstance(values, Range)
            line = [best | {name: value} for value in values]
            line = [configuration for configuration in line if is_possible(configuration)]
            if unknown := [c for c in line if frozen(c) not in known.accuracy]:
                return [c for c in unknown if frozen(c) not in known.begun]
            good = [c for c in line if not math.isnan(known.accuracy[frozen(c)])]  # the others failed, or were pruned
            best = max(good, key=lambda c: sign * known.accuracy[frozen(c)], default=best)
        if best == before:
            break
    return []


def distributions(study: Study) -> dict[str, optuna.distributions.BaseDistribution]:
    """The dimensions as Optuna knows them; values that it does not know travel as text."""
    found: dict[str, optuna.distributions.BaseDistribution] = {}
    for name, values in study.dimensions.items():
        if not isinstance(values, Range):
            found[name] = optuna.distributions.CategoricalDistribution([stored(value) for value in values])
        elif DIMENSIONS[name].kind is int:
            found[name] = optuna.distributions.IntDistribution(int(values.low), int(values.high), log=values.log)
        else:
            found[name] = optuna.distributions.FloatDistribution(values.low, values.high, log=values.log)
    return found


def stored(value: Value) -> bool | int | float | str:
    return text_of(value) if isinstance(value, tuple) else value


def configuration_of(study: Study, params: Mapping[str, object]) -> Configuration:
    """Optuna's parameters as a configuration of the study."""
    found: Configuration = {}
    for name, values in study.dimensions.items():
        given: Any = params[name]
        options = () if isinstance(values, Range) else values
        found[name] = next((value for value in options if stored(value) == given), given)
    return found


def sampler_of(study: Study, begun: int) -> optuna.samplers.BaseSampler:
    """TPE; what runs in parallel is taken for bad, so that it is not asked twice. A dimension of one value is drawn."""
    return optuna.samplers.TPESampler(
        seed=study.seed * 100_003 + begun, constant_liar=len(study.objectives) == 1, multivariate=True
    )


def pruner_of(study: Study) -> optuna.pruners.BasePruner:
    """Median: worse than half of the others at the same epoch. Hyperband: Li et al. 2018.

    Three trials come first, which the others are held against. (27 trials of five epochs, in 20 orders: of the epochs
    the median pruner trained 38 % after two trials and 48 % after four, and lost the winner after none of these.)
    """
    if study.pruning == "median":
        return optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=0)
    if study.pruning == "hyperband":
        possible = next((c for c in study.some() if not study.problem(c)), None)
        epochs = study.setup(possible).epochs if possible else 1
        return optuna.pruners.HyperbandPruner(min_resource=1, max_resource=epochs, reduction_factor=3)
    return optuna.pruners.NopPruner()
