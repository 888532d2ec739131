"""Which configuration comes next: a function of what is known so far, so that every study can be gone on with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import optuna

from core.experiments.dimensions import DIMENSIONS, Configuration, Value
from core.experiments.study import Range, Study, text_of

Frozen = tuple[Value, ...]  # a configuration's values, in the study's order


@dataclass
class Known:
    """The configurations that were begun, and the first objective of those that ended; NaN for one that failed."""

    begun: set[Frozen] = field(default_factory=set)
    accuracy: dict[Frozen, float] = field(default_factory=dict)


def frozen(configuration: Configuration) -> Frozen:
    return tuple(configuration.values())


class Search:
    """Names the next configurations of a grid or of one-at-a-time; random and TPE are Optuna's to ask."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self._rest = study.grid()

    def next(self, known: Known) -> Configuration | None:
        """One that may begin now; None while others have to end first, or when there is nothing left."""
        if self._study.strategy == "grid":
            possible = (c for c in self._rest if frozen(c) not in known.begun and not self._study.problem(c))
            return next(possible, None)
        return next(iter(_one_at_a_time(self._study, known)), None)


def _one_at_a_time(study: Study, known: Known) -> list[Configuration]:
    """The next step of a search along one axis after another, the others held at the best so far.

    Begins at each dimension's first value (or the first possible one); ends after `rounds`, or a round that changed
    nothing.
    """
    best = next((c for c in study.grid() if not study.problem(c)), None)
    for _ in range(study.rounds):
        before = best
        for name, values in study.dimensions.items():
            assert not isinstance(values, Range)
            line = [best | {name: value} for value in values] if best else []
            line = [configuration for configuration in line if not study.problem(configuration)]
            if unknown := [c for c in line if frozen(c) not in known.accuracy]:
                return [c for c in unknown if frozen(c) not in known.begun]
            good = [c for c in line if known.accuracy[frozen(c)] == known.accuracy[frozen(c)]]  # not NaN: failed
            best = max(good, key=lambda c: known.accuracy[frozen(c)], default=best)
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
    """Random or TPE (Bergstra et al. 2011); what runs in parallel is taken for bad, so that it is not asked twice."""
    seed = study.seed * 100_003 + begun
    if study.strategy == "tpe":
        return optuna.samplers.TPESampler(
            seed=seed, constant_liar=len(study.objectives) == 1, multivariate=True, warn_independent_sampling=False
        )
    return optuna.samplers.RandomSampler(seed)


def pruner_of(study: Study) -> optuna.pruners.BasePruner:
    """Median: worse than half of the others at the same epoch. Hyperband: Li et al. 2018."""
    if study.pruning == "median":
        return optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=0)
    if study.pruning == "hyperband":
        epochs = study.settings.get("epochs", 5)
        return optuna.pruners.HyperbandPruner(min_resource=1, max_resource=int(epochs), reduction_factor=3)  # type: ignore
    return optuna.pruners.NopPruner()
