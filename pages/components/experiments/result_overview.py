"""The answer: what was expected beside what was found, the best trial, how the search went."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st

from core.experiments.effects import Effect, Effects, effects, interval
from core.experiments.study import Study
from core.report.experiment_figures import MANY, below_focus, effects_figure, progress_figure
from pages.components.experiments.result_parts import finished, settings_of
from pages.components.figure import show_figure
from pages.components.kept import kept
from pages.components.markup import plain
from pages.components.tiles import show_tiles

if TYPE_CHECKING:
    from core.experiments.storage import Storage

MOST_SENTENCES = 12  # at once; the others in an expander
MOST_IN_FIGURE = 30


def overview(study: Study, storage: "Storage", table: pd.DataFrame) -> None:
    best = finished(table)
    if len(best):
        _best(study, best)
    else:
        st.info("No trial was completed, so there is no answer yet; the table says why.", icon=":material/info:")
    found = kept(("effects", *table.attrs["sign"]), lambda: effects(study, table))
    _answer(study, found)
    if not table["accuracy"].notna().any():
        return
    left, right = st.columns(2, gap="large")
    with left:
        _effects(found)
    with right:
        _progress(table)


def _best(study: Study, best: pd.DataFrame) -> None:
    row = best.iloc[0]
    figures = {
        "Best so far": f"{row['accuracy']:.2%}",
        "Trial": f"{row['number']}",
        "Training": f"{row['seconds']:.1f} s",
    }
    if np.isfinite(row["parameters"]):
        figures["Parameters"] = f"{int(row['parameters']):,}"
    show_tiles(figures, {"Best so far": "Accuracy on validation samples, the mean over the repetitions.",
                         "Training": "Of one training, on one thread."})  # fmt: skip
    st.markdown(plain(f"{settings_of(study, row)}. {_interval(study, row)}"))
    st.caption(
        f"The best of {len(best):,} looks better than it is, since luck helped it to the top: the section Confirm "
        "trains it anew with other seeds and measures by how much."
    )


def _interval(study: Study, row: Any) -> str:
    accuracies = np.array([row["accuracies"]], float)  # (1, repetitions)
    _, low, high, _ = interval(accuracies, study.folds)
    if not np.isfinite(low):
        return (
            "One training only: there is no interval." if row["n"] == 1 else
            f"All {row['n']} trainings are alike accurate: they tell of no chance, so there is no interval."
        )  # fmt: skip
    what = f"{study.folds} folds" if study.folds else f"{row['n']} seeds"
    return f"95 % interval over its {what}: {max(low, 0):.2%} to {min(high, 1):.2%}."


def _answer(study: Study, found: Effects) -> None:
    left, right = st.columns([2, 3], gap="large")
    with left:
        st.markdown("##### Expected before the run")
        st.markdown(f"> {plain(study.hypothesis)}" if study.hypothesis.strip() else "*No hypothesis was written.*")
    with right:
        st.markdown("##### Measured")
        if not found.effects:
            st.markdown("There are no two finished trials to compare yet.")
        order = sorted(found.effects, key=lambda effect: not effect.decided)
        for effect in order[:MOST_SENTENCES]:
            st.markdown(_sentence(effect))
        if rest := order[MOST_SENTENCES:]:
            with st.expander(f"{len(rest)} more"):
                for effect in rest:
                    st.markdown(_sentence(effect))
    for warning in found.warnings:
        st.warning(warning, icon=":material/warning:")


def _sentence(effect: Effect) -> str:
    icon = ":green[:material/check_circle:]" if effect.decided else ":grey[:material/balance:]"
    return f"{icon} {plain(effect.verdict)}"


def _effects(found: Effects) -> None:
    if not found.effects:
        return
    largest = sorted(found.effects, key=lambda effect: -abs(effect.difference))[:MOST_IN_FIGURE]
    shown = [effect for effect in found.effects if effect in largest]
    what = "" if len(shown) == len(found.effects) else f" The {len(shown)} largest of {len(found.effects)}."
    show_figure(
        effects_figure(shown), "experiment_effects",
        f"Right of the dotted line a value is better than its dimension's first one, left of it worse. An interval "
        f"that holds the line decides nothing.{what} {found.how} Claims are corrected for {len(found.effects)} "
        f"comparison{'s' * (len(found.effects) != 1)} (Holm).",
    )  # fmt: skip


def _progress(table: pd.DataFrame) -> None:
    done = table.loc[table["state"] == "complete", "accuracy"]
    below = below_focus(done * 100)
    unseen = (
        f" {below} trial{'s' * (below != 1)} far below the others lie{'s' * (below == 1)} outside." if below else ""
    )
    if len(table) > MANY:
        unseen += f" Of {len(table):,} trials at most {MANY:,} are drawn, evenly among all."
    show_figure(
        progress_figure(table), "experiment_progress",
        f"The line rises where a trial beat all before it; where it stays flat the search found nothing "
        f"better.{unseen}",
    )  # fmt: skip
