"""The chapter about a study: what was asked and expected, what was found, and how far it can be believed."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from core.experiments.dimensions import DIMENSIONS
from core.experiments.effects import Effects, effects, levels, means
from core.experiments.importance import importance, importance_problem
from core.experiments.looks import Look, Looks
from core.experiments.storage import Storage
from core.experiments.study import Range, Study, text_of
from core.experiments.table import trials_table
from core.report.document import Block, Chapter, Code, Document, Figure, Heading, Table, Text
from core.report.experiment_cost_figures import COSTS, cost_figure
from core.report.experiment_figures import (
    dimension_figure,
    effects_figure,
    heat_figure,
    importance_figure,
    progress_figure,
)

TITLE = "The study"
MOST_ROWS = 500  # of the table; the page gives all of them as CSV
MOST_PAIRS = 3  # heat maps


def study_chapter(study: Study, storage: Storage) -> Chapter:
    return Chapter(TITLE, list(study_blocks(study, storage)))


def study_html(study: Study, storage: Storage) -> bytes:
    """A report of this study alone, as one HTML file."""
    return Document(f"{study.name}: a study", [study_chapter(study, storage)]).to_html().encode()


def study_blocks(study: Study, storage: Storage) -> Iterator[Block]:
    table = trials_table(storage, study.name)
    found = effects(study, table)
    yield Text(study.question)
    yield Text(f"Expected before the run: {study.hypothesis.strip() or 'no hypothesis was written.'}")
    yield Heading("The answer")
    yield from _answer(study, table, found)
    yield from _confirmations(study, Looks(storage).of(study.name), Looks(storage).at(study.dataset))
    yield Heading("How it was asked")
    yield from _asked(study)
    yield from _figures(study, table, found)
    yield Heading("Every trial")
    yield from _trials(study, table)


def _answer(study: Study, table: pd.DataFrame, found: Effects) -> Iterator[Block]:
    done = _finished(table)
    if not len(done):
        yield Text("No trial was completed, so there is no answer.")
        return
    best = done.iloc[0]
    repeated = "one training" if best["n"] == 1 else f"the mean of {best['n']} trainings"
    yield Text(
        f"The best of {len(done):,} finished trials is trial {best['number']} with {best['accuracy']:.2%} on "
        f"validation samples, {repeated}: {_settings(study, best)}."
    )
    if found.effects:
        yield Table(
            ["dimension", "value", "instead of", "difference (points)", "95 % interval", "decided", "comparisons"],
            [
                [
                    DIMENSIONS[e.dimension].label, e.value, e.reference, f"{e.difference * 100:+.2f}",
                    f"{e.low * 100:+.2f} to {e.high * 100:+.2f}" if e.has_interval else "none",
                    "yes" if e.decided else "not by this data", e.n,
                ]
                for e in found.effects
            ],
            f"{found.how} Each interval is of its difference alone; decided is what holds after Holm's correction for "
            f"{len(found.effects)} comparisons.",
        )  # fmt: skip
        yield Figure(
            effects_figure(found.effects),
            "Right of the dotted line a value is better than its dimension's first one. An interval that holds the "
            "line decides nothing.",
        )
    for warning in found.warnings:
        yield Text(warning)


def _confirmations(study: Study, looks: list[Look], all_looks: int) -> Iterator[Block]:
    yield Heading("Confirmation on the test set")
    if not any(look.test for look in looks):
        yield Text(
            "No trial was confirmed. The figures above are of validation samples, by which the best was chosen: expect "
            "less on other samples."
        )
        return
    from core.experiments.confirm import parts
    from core.report.experiment_confirm_figure import confirm_figure

    kept = sum(look.state == "kept" for look in looks)
    own = f" ({kept} of them to store a trial as a network)" if kept else ""
    yield Text(
        f"The test set was looked at {_times(len(looks))} for this study{own}, and {_times(all_looks)} by all studies "
        "in its storage." + (" With more than one look its figures begin to flatter." if all_looks > 1 else "")
    )
    for look in looks:
        if not look.test or not look.searched:
            continue
        said = parts(look, study.folds)
        seeds = ", ".join(map(str, look.seeds))
        yield Text(
            f"Trial {look.trial} ({look.settings}), trained anew with {look.epochs} epochs and the seeds {seeds}:"
        )
        yield Table(
            ["measured", "accuracy", "95 % interval", "trainings"],
            [[p.what, f"{p.mean:.2%}", f"{p.low:.2%} to {p.high:.2%}" if p.low == p.low else "–", p.n] for p in said],
        )
        yield Figure(
            confirm_figure(said),
            "How far the search's word falls when the trial is trained anew is the part that was luck.",
            confirm_figure(said, narrow=True),
        )


def _asked(study: Study) -> Iterator[Block]:
    yield Table(
        ["dimension", "values", "what it is"],
        [
            [DIMENSIONS[name].label, _values(values), DIMENSIONS[name].about]
            for name, values in study.dimensions.items()
        ],
    )
    repeated = f"{study.folds} folds" if study.folds else f"{study.seeds} seed{'s' * (study.seeds != 1)}"
    network = "varied" if "network" in study.dimensions else study.network
    rows = [
        ["data set", study.dataset], ["network", network], ["strategy", study.strategy],
        ["objective", ", ".join(study.objectives)], ["each configuration", repeated], ["pruning", study.pruning],
        *[[DIMENSIONS[name].label.lower(), text_of(value)] for name, value in study.settings.items()],
    ]  # fmt: skip
    yield Table(["setting", "value"], rows)
    from core.experiments.study_file import toml_of

    yield Text("The study as a file; run it with: python -m core experiment STUDY.toml")
    yield Code(toml_of(study))


def _figures(study: Study, table: pd.DataFrame, found: Effects) -> Iterator[Block]:
    if not len(_finished(table)):
        return
    yield Heading("The figures")
    yield Figure(progress_figure(table), "The line rises where a trial beat all before it.")
    labels = {name: levels(study, table, name) for name in study.dimensions}
    for name, own in labels.items():
        yield Figure(
            dimension_figure(table, own, means(study, table, name), DIMENSIONS[name].label),
            "Each point is a trial, each diamond the mean of its value's trials with a 95 % interval over them.",
        )
    names = list(study.dimensions)
    for a, b in [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]][:MOST_PAIRS]:
        yield Figure(
            heat_figure(table, labels[a], labels[b], (DIMENSIONS[a].label, DIMENSIONS[b].label)),
            "The stronger the green, the more accurate the cell's trials are on average.",
        )
    if problem := importance_problem(study, table):
        yield Text(problem)
    else:
        weighed = importance(study, table)
        yield Figure(
            importance_figure(
                {DIMENSIONS[name].label: share for name, share in weighed.shares.items()},
                {DIMENSIONS[name].label: share for name, share in weighed.chance.items()}, weighed.method,
            ), f"{weighed.about} The mark is what each reaches when the accuracies are dealt out by chance.",
        )  # fmt: skip
    for cost in COSTS:
        if table[cost].notna().any():
            yield Figure(cost_figure(table, cost), "On the front no trial is both cheaper and more accurate.")


def _trials(study: Study, table: pd.DataFrame) -> Iterator[Block]:
    ordered = table.sort_values("accuracy", ascending=False, na_position="last")
    columns = ["trial", "state", *[DIMENSIONS[name].label.lower() for name in study.dimensions], "accuracy", "SD"]
    columns += ["untrained", "on training samples", "time (s)", "parameters", "reason"]
    rows = [_row(study, row) for row in ordered.head(MOST_ROWS).to_dict("records")]
    more = f" The best {MOST_ROWS} of {len(table):,} trials." if len(table) > MOST_ROWS else ""
    yield Table(columns, rows, f"Accuracies are shares of validation samples, the best first.{more}")


def _row(study: Study, row: Any) -> list[object]:
    def number(name: str, form: str) -> str:
        return format(row[name], form) if row[name] == row[name] else "–"

    return [
        row["number"], row["state"], *[_text(row[name]) for name in study.dimensions], number("accuracy", ".2%"),
        number("sd", ".2%"), number("before", ".2%"), number("train_accuracy", ".2%"), number("seconds", ".2f"),
        number("parameters", ",.0f"), row["problem"],
    ]  # fmt: skip


def _finished(table: pd.DataFrame) -> pd.DataFrame:
    done = table[(table["state"] == "complete") & table["accuracy"].notna()]
    return done.sort_values(["accuracy", "seconds"], ascending=[False, True])


def _settings(study: Study, row: Any) -> str:
    return ", ".join(f"{DIMENSIONS[name].label} {_text(row[name])}" for name in study.dimensions)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "–" if value is None else text_of(value)


def _values(values: Any) -> str:
    if isinstance(values, Range):
        return f"{values.low:g} to {values.high:g}" + (" (by logarithm)" if values.log else "")
    return "; ".join(text_of(value) for value in values)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
