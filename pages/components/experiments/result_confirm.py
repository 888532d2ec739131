"""The winner, or any trial, trained anew with other seeds and scored on the test set once."""

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from core.errors import InklingError
from core.experiments.looks import Look, Looks
from core.experiments.search import configuration_of
from core.experiments.study import Study
from pages.components.experiments.result_parts import choose_trial, finished, points
from pages.components.experiments.words import duration
from pages.components.figure import show_figure
from pages.components.markup import plain
from pages.components.screen import is_narrow
from pages.components.train.titles import dataset_title

if TYPE_CHECKING:
    from core.experiments.confirm import Confirmation
    from core.experiments.storage import Storage

EVERY_S = 1.0
SEEDS, MOST_SEEDS = 3, 20


def confirm(study: Study, storage: "Storage", table: pd.DataFrame) -> None:
    done = finished(table)
    if not len(done):
        st.info("No trial was completed, so there is nothing to confirm.", icon=":material/info:")
        return
    st.markdown(
        "The best of many trials looks better than it is: luck with its seed and with the validation samples helped it "
        "to the top. Here it is trained anew with seeds that no trial used, and scored on the test set, once."
    )
    from core.experiments import confirm as core_confirm  # torch comes with it

    going = core_confirm.current(study, storage)
    if going is not None and going.running:
        st.fragment(_progress, run_every=EVERY_S)(study, storage)
    else:
        if going is not None:
            _how_it_ended(going)
        _begin(study, storage, done)
    looks = Looks(storage).of(study.name)
    _count(study, looks, Looks(storage).at(study.dataset))
    narrow = is_narrow()
    for look in reversed(looks):
        _result(study, table, look, narrow)


def _begin(study: Study, storage: "Storage", done: pd.DataFrame) -> None:
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    with left:
        row = choose_trial(study, done, "experiment_confirm_trial")
    with right:
        seeds = st.number_input(
            "New seeds", 1, MOST_SEEDS, SEEDS, key="experiment_confirm_seeds",
            help="Each is a training of its own. From two on there is an interval over seeds.",
        )  # fmt: skip
    longer = study.final_epochs / row["epochs_done"] if study.final_epochs else 1.0
    epochs = f" for {study.final_epochs} epochs" if study.final_epochs else ""
    st.caption(
        f"Trains {seeds} network{'s' * (seeds != 1)}{epochs}, about {duration(row['seconds'] * longer * seeds)} of "
        f"one core's time in all, then looks at the test set of {dataset_title(study.dataset)}."
    )
    st.button(
        "Train it anew and look at the test set", type="primary", icon=":material/verified:", key="experiment_confirm",
        on_click=_start, args=(study, storage, row, seeds),
    )  # fmt: skip
    if problem := st.session_state.pop("experiment_confirm_problem", ""):
        st.error(plain(problem), icon=":material/error:")


def _start(study: Study, storage: "Storage", row: Any, seeds: int) -> None:
    from core.experiments.confirm import start

    try:
        start(study, storage, int(row["number"]), configuration_of(study, row), row["accuracies"], seeds)
    except InklingError as error:
        st.session_state["experiment_confirm_problem"] = str(error)


def _progress(study: Study, storage: "Storage") -> None:
    from core.experiments.confirm import current

    going = current(study, storage)
    if going is None or not going.running:
        st.rerun()
    left = going.seconds_left
    seeds = ", ".join(map(str, going.seeds))
    text = f"Trial {going.trial} is trained anew with {'seeds' if len(going.seeds) > 1 else 'the seed'} {seeds}"
    text += "; its processes start …" if not going.progress else ""
    st.progress(going.progress, text + (f", about {duration(left)} left" if left is not None else ""))
    st.button(
        "Stopping …" if going.stopping else "Stop", icon=":material/stop_circle:", key="experiment_confirm_stop",
        disabled=going.stopping, on_click=going.stop,
        help="What was not scored on the test set by then is no look at it.",
    )  # fmt: skip


def _how_it_ended(going: "Confirmation") -> None:
    if going.state == "failed":
        st.error(plain(going.problem), icon=":material/error:")
    elif going.state == "stopped":
        st.info(f"The confirmation of trial {going.trial} was stopped.", icon=":material/stop_circle:")


def _count(study: Study, looks: list[Look], all_looks: int) -> None:
    name = dataset_title(study.dataset)
    if not all_looks:
        st.caption(f"The test set of {name} has not been looked at yet by any study in this storage.")
        return
    own = times(len(looks))
    kept = sum(look.state == "kept" for look in looks)
    own += f" ({kept} of them to store a trial as a network)" if kept else ""
    text = f"The test set of {name} was looked at {own} for this study"
    text += f", and {times(all_looks)} by all studies in this storage." if all_looks > len(looks) else "."
    if not looks:
        text = (
            f"The test set of {name} was not looked at for this study, but {times(all_looks)} by others in "
            "this storage."
        )
    if all_looks > 1:
        st.warning(
            f"{text} Whoever looks more than once and keeps the best answer chooses by the test set, and its figures "
            "begin to flatter. Report the first look, or all of them.", icon=":material/visibility:",
        )  # fmt: skip
    else:
        st.caption(text + " Its figure is as honest as it can be.")


def times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _result(study: Study, table: pd.DataFrame, look: Look, narrow: bool) -> None:
    from core.experiments.confirm import parts
    from core.report.experiment_confirm_figure import confirm_figure

    if not look.test or not look.searched:
        return
    found = parts(look, study.folds)
    with st.container(border=True):
        stopped = " (stopped before all seeds were done)" if look.state == "stopped" else ""
        st.markdown(f"##### Trial {look.trial}: {found[2].mean:.2%} on the test set{stopped}")
        st.markdown(
            plain(f"{look.settings}. 95 % interval for other seeds and other samples: {found[2].low:.2%} to "
                  f"{found[2].high:.2%}; {_trained(look)}, {look.test_samples:,} test samples, {look.when[:10]}.")
        )  # fmt: skip
        show_figure(confirm_figure(found, narrow), f"experiment_confirmed_{look.id}", curse(study, found, table, look))


def curse(study: Study, found: list, table: pd.DataFrame, look: Look) -> str:
    """The winner's curse as it was measured, in words."""
    searched, anew, test = found
    count = int((table["state"] == "complete").sum())
    where = "other folds than the validation samples used now" if study.folds else "the same validation samples"
    text = (
        f"Among {count:,} finished trials it reached {searched.mean:.2%}. Trained anew it reaches {anew.mean:.2%} on "
        f"{where if not study.folds else 'validation samples'}: {points(anew.mean - searched.mean)}"
        f"{', measured on ' + where if study.folds else ''}. The test set says {test.mean:.2%}: "
        f"{points(test.mean - searched.mean)} against the search."
    )
    if study.final_epochs:
        text += f" It was trained for {look.epochs} epochs, not as many as in the search."
    if anew.low <= searched.mean <= anew.high:
        text += " The interval of the new trainings holds the search's figure, so this difference may be chance."
    elif anew.mean < searched.mean:
        text += " That it falls is the winner's curse: part of the best result was luck."
    return text


def _trained(look: Look) -> str:
    names = ", ".join(map(str, look.seeds[: len(look.test)]))
    return f"{'seed' if len(look.test) == 1 else 'seeds'} {names}, {look.epochs} epoch{'s' * (look.epochs != 1)}"
