"""Watching a study: how far it is, what is training now, the best so far, what failed; stopping it and going on."""

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from core.errors import InklingError
from core.experiments.study import Study, text_of
from pages.components.experiments.fields import DRAWING
from pages.components.experiments.place import Place, storage_is_away
from pages.components.experiments.result_parts import finished, settings_of
from pages.components.experiments.words import duration
from pages.components.figure import show_figure
from pages.components.markup import plain
from pages.components.tiles import show_tiles

if TYPE_CHECKING:
    from core.experiments.jobs import JobState
    from core.experiments.ledger import Holder
    from core.experiments.storage import Storage

EVERY_S, IDLE_S = 1.0, 5.0
BUSY = ("running", "stopping")
STATES = {  # colour, icon, in words
    "not begun": ("grey", ":material/hourglass_empty:", "has not begun"),
    "running": ("blue", ":material/directions_run:", "is running"),
    "stopping": ("orange", ":material/stop_circle:", "is stopping …"),
    "stopped": ("orange", ":material/stop_circle:", "was stopped"),
    "interrupted": ("orange", ":material/pause_circle:", "stands still"),
    "finished": ("green", ":material/check_circle:", "is finished"),
}
MOST_CURVES, MOST_FAILURES = 6, 5
LEAST_SHARE, LEAST_S = 0.05, 5.0  # done, and watched, before the time left is told


def live_panel(study: Study, storage: "Storage", place: Place) -> bool:
    """The panel, which looks every second while the study runs; whether it does."""
    from core.experiments import jobs

    busy = jobs.state_of(study.name, storage.url).state in BUSY
    st.fragment(_panel, run_every=EVERY_S if busy else IDLE_S)(study, storage, place, busy)
    return busy


def _panel(study: Study, storage: "Storage", place: Place, seen_busy: bool) -> None:
    from core.experiments import jobs
    from core.experiments.ledger import Lease, Ledger
    from pages.components.experiments.results import table_of

    try:
        job = jobs.state_of(study.name, storage.url)
        if (job.state in BUSY) != seen_busy:
            st.rerun()  # with the other timer, and the results as they are now
        with st.container(border=True, key="experiment_live"):
            # Each part in a place of its own: what comes and goes in one leaves no shadow of the others behind.
            headline, figures, buttons, best, curves, failures = (st.container() for _ in range(6))
            table = table_of(storage, study.name)
            records = Ledger(storage).running(study.name) if seen_busy else []
            with headline:
                _headline(study, job, Lease(storage, study.name).holder(), records)
            with figures:
                _figures(job, table)
            with buttons:
                _buttons(study, storage, place, job)
            if seen_busy:
                with best:
                    _best(study, table)
                with curves:
                    _curves(study, records)
            with failures:
                _failures(table)
    except InklingError as error:
        if _is_gone(study, storage):
            st.rerun()
        storage_is_away(str(error))


def _is_gone(study: Study, storage: "Storage") -> bool:
    """Whether another visitor has deleted it."""
    try:
        return study.name not in storage.names()
    except InklingError:
        return False


def _headline(study: Study, job: "JobState", holder: "Holder | None", records: list[dict[str, Any]]) -> None:
    colour, icon, words = STATES[job.state]
    host = holder.owner.rsplit(":", 2)[0].partition("/")[0] if holder else ""
    where = f" on {plain(host)}" if host and job.state in BUSY else ""
    workers = f", {job.workers} at a time" if job.workers and job.state in BUSY else ""
    st.markdown(f"{icon} **{plain(study.name)}** :{colour}[{words}]{where}{workers}")
    if job.state in BUSY and job.planned:
        share = _share(study, job, records)
        ended = f"{job.finished + job.failed:,} of {job.planned:,} trials"
        st.progress(share, f"{ended}{_left(holder, study.name, share)}")
    if job.message:
        st.info(plain(job.message), icon=":material/info:")
    elif job.state == "running" and not job.running and not job.finished + job.failed:
        st.caption("The workers are starting; each loads its libraries first.")


def _share(study: Study, job: "JobState", records: list[dict[str, Any]]) -> float:
    """How much is done, in [0, 1]: whole trials, and the epochs of those in training."""
    each = study.seeds * max(1, study.folds)  # trainings of a trial
    begun = sum(len(record["epochs"]) / (record.get("planned") or 1) for record in records) / each
    return min(1.0, (job.finished + job.failed + begun) / (job.planned or 1))


def _left(holder: "Holder | None", name: str, share: float) -> str:
    """The time left, as if the rest went as fast as what was done since it was first watched from this server."""
    if holder is None or not share:  # while the workers start nothing is done, however long it takes
        return ""
    begun = _first_seen(holder.owner, name)
    begun.setdefault("at", (time.monotonic(), share))
    since, before = begun["at"]
    gone, done = time.monotonic() - since, share - before
    if done < LEAST_SHARE or gone < LEAST_S:
        return ""
    return f", about {duration((1 - share) * gone / done)} left"


@st.cache_resource(max_entries=100, show_spinner=False)
def _first_seen(owner: str, name: str) -> dict[str, tuple[float, float]]:
    return {}


def _figures(job: "JobState", table: pd.DataFrame) -> None:
    best = table["accuracy"][table["state"] == "complete"].max()
    shown = {
        "Trials": f"{job.finished:,}" + (f" of {job.planned:,}" if job.planned else ""),
        "Best accuracy": f"{best:.2%}" if best == best else "–",
        "Failed": f"{job.failed:,}",
    }
    if job.state in BUSY:
        shown |= {"In training": f"{job.running:,}", "Time": duration(job.seconds) if job.seconds else "–"}
    show_tiles(shown, {"Best accuracy": "On validation samples, the mean over its seeds; the test set is not used."})


def _buttons(study: Study, storage: "Storage", place: Place, job: "JobState") -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if job.state in BUSY:
            st.button(
                "Stop", icon=":material/stop:", key="experiment_stop", disabled=job.state == "stopping",
                on_click=_try, args=(_stop, study, storage),
                help="What is finished stays; the trials in flight are run again when it goes on.",
            )  # fmt: skip
        elif job.state == "finished" and study.strategy in DRAWING and (job.planned or 0) >= study.trials:
            more = st.number_input("More trials", 1, 10_000, 10, key="experiment_more", width=140)
            longer = replace(study, trials=study.trials + int(more))
            st.button(
                "Go on", icon=":material/play_arrow:", key="experiment_go_on", on_click=_try,
                args=(_go_on, longer, place), help="Everything else stays as it was.",
            )  # fmt: skip
        elif job.state != "finished":
            st.button(
                "Begin" if job.state == "not begun" else "Go on", icon=":material/play_arrow:",
                key="experiment_go_on", on_click=_try, args=(_go_on, study, place),
            )  # fmt: skip
    if problem := st.session_state.pop("experiment_problem", None):
        st.error(plain(problem), icon=":material/error:")


def _stop(study: Study, storage: "Storage") -> None:
    from core.experiments import jobs

    jobs.stop(study.name, storage.url)


def _go_on(study: Study, place: Place) -> None:
    from core.experiments import jobs

    jobs.start(study, **place.started_with())


def _try(action: Any, *arguments: Any) -> None:
    try:
        action(*arguments)
    except InklingError as error:
        st.session_state["experiment_problem"] = str(error)


def _best(study: Study, table: pd.DataFrame) -> None:
    best = finished(table).head(1)
    for row in best.to_dict("records"):
        st.markdown(
            f":material/emoji_events: Best so far: trial {row['number']} with **{row['accuracy']:.2%}**, "
            + plain(settings_of(study, row))
        )  # fmt: skip


def _curves(study: Study, records: list[dict[str, Any]]) -> None:
    from core.report.experiment_live import running_curves

    records = [record for record in records if record["epochs"]][:MOST_CURVES]
    if records:
        planned = max(record.get("planned", 0) for record in records)
        show_figure(
            running_curves([(_named(study, record), record["epochs"]) for record in records], planned),
            "experiment_curves",
            "Accuracy on validation samples after each epoch, of the trainings that go on now.",
        )  # fmt: skip


def _named(study: Study, record: dict[str, Any]) -> str:
    """A training by what is varied in it: "dropout 0.3, seed 1"."""
    setup = record.get("setup", {})
    config = setup.get("config", {})
    known = (config.get("cnn") or {}) | config | {"samples": setup.get("samples")}
    varied = [f"{name} {_text(known[name])}" for name in study.dimensions if name != "epochs" and name in known]
    fold = f", fold {record.get('fold', 0) + 1}" if study.folds else ""
    return ", ".join([*varied, f"seed {record.get('seed', 0)}"]) + fold


def _text(value: Any) -> str:
    return text_of(tuple(value) if isinstance(value, list) else value)


def _failures(table: pd.DataFrame) -> None:
    failed = table[table["state"] == "failed"]
    if failed.empty:
        return
    reasons = failed["problem"].value_counts()
    with st.expander(f"{len(failed):,} failed: why", icon=":material/error:"):
        for reason, number in reasons.head(MOST_FAILURES).items():
            st.markdown(f"- {number:,} × {plain(str(reason) or 'no reason is known')}")
