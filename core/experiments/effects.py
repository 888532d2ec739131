"""What each dimension does to the accuracy, as far as a study's trials can tell.

A grid and one-at-a-time hold pairs of trials that are alike but for one dimension; their differences are averaged.
Random and TPE hold few, so all trials are fitted together, unless they came to try a whole grid. Every difference is
from the dimension's reference, its first value if nothing else is said, and has a 95 % interval; "better" is said only
where it holds after Holm's correction for all of the study's comparisons.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit  # Student's t; scipy.stats takes a second to import

from core.experiments.dimensions import DIMENSIONS
from core.experiments.regression import coefficients
from core.experiments.study import Range, Study, text_of
from core.training.multiple import LEVEL, holm

PARTS = 3  # that a range is cut into: a straight line would miss an optimum within it
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Effect:
    """The mean accuracy with `value` minus that with `reference`, all else equal; shares in [0, 1]."""

    dimension: str
    value: str  # as text, or the part of a range
    reference: str
    difference: float
    low: float  # 95 % interval of this difference by itself; NaN where the data give none
    high: float
    p_value: float
    p_corrected: float  # for the number of the study's comparisons (Holm 1979)
    n: int  # pairs; for random and TPE the trials with this value

    @property
    def decided(self) -> bool:
        return bool(self.p_corrected < LEVEL)

    @property
    def has_interval(self) -> bool:
        return bool(np.isfinite(self.low))

    @property
    def verdict(self) -> str:
        """In a sentence; what the data do not decide is called so."""
        what = f"{DIMENSIONS[self.dimension].label} {self.value} instead of {self.reference}"
        size = f"{abs(self.difference) * 100:.2f} points"
        if not self.has_interval:
            return (
                f"Not decided by this data: {what}: {_signed(self.difference)} points; there are too few trials "
                "for an interval."
            )
        interval = f"(95 % interval: {_signed(self.low)} to {_signed(self.high)})"
        if self.decided:
            return f"{what} {'raises' if self.difference > 0 else 'lowers'} the accuracy by {size} {interval}."
        if self.low <= 0 <= self.high:
            return f"Not decided by this data: {what}: {_signed(self.difference)} points {interval}."
        return (
            f"Not decided by this data: {what}: {_signed(self.difference)} points {interval}; alone that "
            "would be a difference, but among so many comparisons one such comes by chance."
        )


@dataclass(frozen=True)
class Effects:
    effects: tuple[Effect, ...]  # dimension by dimension
    how: str  # they were found, in a sentence or two
    warnings: tuple[str, ...]  # what makes them less than they seem

    def of(self, dimension: str) -> tuple[Effect, ...]:
        return tuple(effect for effect in self.effects if effect.dimension == dimension)


def effects(study: Study, table: pd.DataFrame, references: Mapping[str, str] | None = None) -> Effects:
    """Of all dimensions; `table` as of `trials_table`, `references` the text of a value in place of the first."""
    whole = _finished(study, table)
    labels = {name: levels(study, table, name) for name in study.dimensions}
    chosen = {name: (references or {}).get(name) or _first(found) for name, found in labels.items()}
    whole = whole.assign(**{name: labels[name][whole.index].astype(str) for name in labels})
    found: list[Effect] = []
    paired = study.strategy in ("grid", "one-at-a-time") or _is_whole_grid(study, whole)
    if len(whole):
        found = _paired(study, whole, labels, chosen) if paired else _fitted(study, whole, labels, chosen)
    corrected = holm([effect.p_value for effect in found]) if found else []
    effects = tuple(replace(effect, p_corrected=p) for effect, p in zip(found, corrected, strict=True))
    return Effects(effects, _how(study, paired), _warnings(study, table))


def levels(study: Study, table: pd.DataFrame, name: str) -> pd.Series:
    """Each trial's value as an ordered category: the study's values as text, a range in three parts."""
    values = study.dimensions[name]
    if not isinstance(values, Range):
        texts = [text_of(value) for value in values]
        known = [text_of(value) if not isinstance(value, str) else value for value in table[name]]
        return pd.Series(pd.Categorical(known, categories=texts), index=table.index)
    low, high = (np.log([values.low, values.high]) if values.log else np.array([values.low, values.high])).tolist()
    cuts = np.linspace(low, high, PARTS + 1)
    edges = np.exp(cuts) if values.log else cuts
    names = [f"{text_of(float(f'{a:.2g}'))} to {text_of(float(f'{b:.2g}'))}" for a, b in pairwise(edges)]
    given = table[name].astype(float).to_numpy()
    part = np.clip(np.searchsorted(edges, given, side="right") - 1, 0, PARTS - 1)
    codes = np.where(np.isfinite(given), part, -1)
    return pd.Series(pd.Categorical.from_codes(codes, categories=names), index=table.index)


def means(study: Study, table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Each value's mean accuracy over all finished trials: columns value, mean, low, high, n.

    The 95 % interval is Student's over the configurations, whose other dimensions differ: it is wider than an
    effect's, which is paired. NaN where there is one configuration only.
    """
    whole = _finished(study, table)
    rows = []
    for value, group in whole.groupby(levels(study, table, name)[whole.index], observed=True):
        accuracy = group["accuracy"].to_numpy(float)
        n = len(accuracy)
        margin = stdtrit(n - 1, (1 + CONFIDENCE) / 2) * accuracy.std(ddof=1) / np.sqrt(n) if n > 1 else np.nan
        mean = accuracy.mean()
        low, high = np.clip([mean - margin, mean + margin], 0, 1)
        rows.append({"value": str(value), "mean": mean, "low": low, "high": high, "n": n})
    return pd.DataFrame(rows, columns=["value", "mean", "low", "high", "n"])


def interval(differences: np.ndarray, folds: int = 0) -> tuple[float, float, float, float]:
    """(mean, low, high, p) of `(pairs, repetitions)` differences; NaN (and p = 1) where they give no interval.

    Folds: Nadeau and Bengio's corrected t (2003), since the folds' trainings share samples. Several seeds: the spread
    within the pairs, pooled, so that it holds for the tested settings on average. One seed: the spread over the pairs.
    """
    pairs, repetitions = differences.shape
    mean = float(differences.mean())
    if folds:
        units = differences.mean(axis=0)
        df, error = len(units) - 1, 0.0
        if df:
            error = float(np.sqrt(units.var(ddof=1) * (1 / len(units) + 1 / (folds - 1))))
    elif repetitions > 1:
        df = pairs * (repetitions - 1)
        within = differences - differences.mean(axis=1, keepdims=True)
        error = float(np.sqrt((within**2).sum() / df / differences.size))
    else:
        df = pairs - 1
        error = float(differences.std(ddof=1) / np.sqrt(pairs)) if df else 0.0
    return mean, *_student(mean, error, df)


def _student(mean: float, error: float, df: int) -> tuple[float, float, float]:
    """(low, high, p); differences that are all alike, to rounding, tell nothing of chance."""
    if df < 1 or not error > 1e-12:
        return np.nan, np.nan, 1.0
    margin = float(stdtrit(df, (1 + CONFIDENCE) / 2)) * error
    return max(-1.0, mean - margin), min(1.0, mean + margin), float(2 * stdtr(df, -abs(mean) / error))


def _paired(
    study: Study, whole: pd.DataFrame, labels: Mapping[str, pd.Series], references: Mapping[str, str]
) -> list[Effect]:
    found = []
    for name, given in labels.items():
        others = [other for other in labels if other != name]
        by_rest: dict[tuple[str, ...], dict[str, np.ndarray]] = {}
        for rest, value, accuracies in zip(
            whole[others].itertuples(index=False, name=None), whole[name], whole["accuracies"], strict=True
        ):
            by_rest.setdefault(rest, {})[value] = np.asarray(accuracies, float)
        runs = [number for number, other in enumerate(others) if other != "epochs"]  # epochs share theirs
        for value in given.cat.categories:
            if value != references[name]:
                differences = _differences(by_rest, str(value), references[name], runs)
                if len(differences):
                    figures = interval(differences, study.folds)
                    found.append(Effect(name, str(value), references[name], *figures, 1.0, differences.size))
    return found


def _differences(
    by_rest: Mapping[tuple[str, ...], Mapping[str, np.ndarray]], value: str, reference: str, runs: list[int]
) -> np.ndarray:
    """`(pairs, repetitions)`; epochs that were read off one run are averaged, as they are no evidence of their own."""
    shared: dict[tuple[str, ...], list[np.ndarray]] = {}
    for rest, known in by_rest.items():
        if value in known and reference in known and len(known[value]) == len(known[reference]):
            shared.setdefault(tuple(rest[i] for i in runs), []).append(known[value] - known[reference])
    rows = [np.mean(differences, axis=0) for differences in shared.values()]
    return np.array(rows) if rows else np.empty((0, 0))


def _fitted(
    study: Study, whole: pd.DataFrame, labels: Mapping[str, pd.Series], references: Mapping[str, str]
) -> list[Effect]:
    """Least squares with a term for each value of each dimension."""
    terms, columns = [], []
    for name, given in labels.items():
        for value in given.cat.categories:
            if value != references[name] and (has := (whole[name] == value).to_numpy(float)).any():
                terms.append((name, str(value), int(has.sum())))
                columns.append(has)
    design = np.column_stack([np.ones(len(whole)), *columns])
    runs = whole["units"].map(repr).to_numpy()  # trials that share a run are no evidence of their own
    fitted = coefficients(design, whole["accuracy"].to_numpy(float), runs)
    found = []
    for number, (name, value, n) in enumerate(terms, 1):
        if fitted.told[number] and (whole[name] == references[name]).any():
            mean = float(fitted.values[number])
            figures = _student(mean, float(fitted.errors[number]), fitted.df)
            found.append(Effect(name, value, references[name], mean, *figures, 1.0, n))
    return found


def _finished(study: Study, table: pd.DataFrame) -> pd.DataFrame:
    """What was completed; a configuration that was drawn twice counts once, since it is the same training."""
    whole = table[(table["state"] == "complete") & table["accuracy"].notna()]
    return whole.drop_duplicates(list(study.dimensions))


def _first(labels: pd.Series) -> str:
    """The first value that a trial has."""
    had = [str(value) for value in labels.cat.categories if (labels == value).any()]
    return had[0] if had else str(labels.cat.categories[0])


def _is_whole_grid(study: Study, whole: pd.DataFrame) -> bool:
    ranges = any(isinstance(values, Range) for values in study.dimensions.values())
    return not ranges and len(whole) == study.combinations


def _how(study: Study, paired: bool) -> str:
    where = "They hold for the validation samples of this study; the luck of which samples those are is not in them."
    if not paired:
        return (
            "Few trials or none are alike but for one dimension, so all are fitted together: linear regression with a "
            "term for each value (ranges in three parts), standard errors by the jackknife (HC3). " + where
        )
    compared = "Trials are compared in pairs that are alike but for one dimension. The intervals are Student's, from "
    if study.folds:
        return compared + "the spread over the folds, with Nadeau and Bengio's correction for the samples they share."
    if study.seeds > 1:
        return compared + f"the spread between {study.seeds} seeds, for the settings tested here. " + where
    return (
        compared + "how a difference varies over the settings of the other dimensions, since there is one seed only: "
        "chance and real differences cannot be told apart. " + where
    )


def _warnings(study: Study, table: pd.DataFrame) -> tuple[str, ...]:
    count = table["state"].value_counts()
    found = []
    if pruned := int(count.get("pruned", 0)):
        found.append(
            f"{pruned} of {len(table)} trials were pruned and are left out. They looked worse than others early, so "
            "the values they had look better here than they are."
        )
    if failed := int(count.get("failed", 0)):
        found.append(f"{failed} of {len(table)} trials failed and are left out.")
    if study.strategy == "one-at-a-time":
        found.append("One dimension was varied at a time: an effect is known at the best settings of the others only.")
    if study.strategy == "tpe":
        found.append(
            "TPE tries what looks good more often: of values it seldom tried little is known, and chance that looked "
            "bad is seldom put right."
        )
    return tuple(found)


def _signed(share: float) -> str:
    return f"{share * 100:+.2f}".replace("-", "−")
