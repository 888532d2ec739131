"""What a study would do: what is possible and what is not, how much is trained, and what time it takes."""

from typing import TYPE_CHECKING

import streamlit as st

from core.errors import InklingError
from core.experiments.study import Count, Range, Study
from core.experiments.study_file import toml_of
from pages.components.experiments.fields import DRAWING
from pages.components.experiments.place import Place
from pages.components.experiments.words import duration
from pages.components.markup import plain
from pages.components.tiles import show_tiles

if TYPE_CHECKING:
    from core.experiments.estimate import Estimate
    from core.experiments.estimate_job import EstimateJob

MOST_REASONS = 8
MOST_PLANNED = 2000  # combinations of a grid that are planned while one types; 10,000 take two seconds
MOST_REHEARSED = 60  # values of a search one at a time; its rehearsals take the square of that
JOB = "experiment_estimate"  # session state: the job of what was estimated last
EVERY_S = 0.5
ABOUT = {
    "Trials": "Combinations that are tried.",
    "Trainings": "Single trainings: each trial's seeds and folds. Trials that differ in their epochs only share them.",
}


def outlook(study: Study) -> bool:
    """The numbers, and the reasons for what is impossible; whether anything is possible."""
    count = counted(study)
    shown = {"Combinations": _many(study), "Possible": f"{count.possible:,}"}
    about = dict(ABOUT)
    if not study.is_small:
        shown["Possible"] = f"{count.possible / count.looked_at:.0%}"
        about["Possible"] = f"Of {count.looked_at:,} combinations drawn at random: there are too many to try each."
    if count.possible:
        shown |= _to_do(study)
    show_tiles(shown, about)
    _reasons(count)
    return count.possible > 0


def _many(study: Study) -> str:
    """How many combinations there are, short."""
    if any(isinstance(values, Range) for values in study.dimensions.values()):
        return "endless"
    return f"{study.combinations:,}" if study.combinations < 10**6 else f"{study.combinations:.1e}"


def _to_do(study: Study) -> dict[str, str]:
    values = sum(len(values) for values in study.dimensions.values() if not isinstance(values, Range))
    too_many = {"grid": study.combinations > MOST_PLANNED, "one-at-a-time": values > MOST_REHEARSED}
    if too_many.get(study.strategy):
        return {}
    trials, trainings = _planned(toml_of(study), study)
    about = "" if study.strategy == "grid" or study.strategy in DRAWING else "about "
    return {"Trials": f"{about}{trials:,}", "Trainings": f"{about}{trainings:,}"}


def _reasons(count: Count) -> None:
    impossible = count.looked_at - count.possible
    if not impossible:
        return
    if count.possible:
        said = f"{impossible:,} of the {count.looked_at:,} combinations looked at cannot be trained, and are left out:"
        st.warning(said, icon=":material/block:")
    else:
        st.error("None of the combinations can be trained:", icon=":material/block:")
    for number, reason in count.impossible[:MOST_REASONS]:
        st.markdown(f"- {number:,} × {plain(reason)}")
    if len(count.impossible) > MOST_REASONS:
        st.caption(f"And {len(count.impossible) - MOST_REASONS:,} more reasons.")


def counted(study: Study) -> Count:
    return _counted(toml_of(study), study)


@st.cache_data(max_entries=100, show_spinner="Counting what is possible …")
def _counted(text: str, _study: Study) -> Count:
    return _study.count()


@st.cache_data(max_entries=100, show_spinner="Counting what is trained …")
def _planned(text: str, _study: Study) -> tuple[int, int]:
    """Trials and single trainings."""
    from core.experiments.plan import planned

    plan = planned(_study, "")  # whatever the data; what the storage holds already is the estimate's to say
    return plan.trials, plan.trainings


def estimate_panel(study: Study, place: Place) -> None:
    """The time that it takes, on demand: a few batches are timed in a process of their own."""
    job: EstimateJob | None = st.session_state.get(JOB)
    running = job is not None and job.running
    st.fragment(_estimate, run_every=EVERY_S if running else None)(study, place, running)


def _estimate(study: Study, place: Place, seen_running: bool) -> None:
    job: EstimateJob | None = st.session_state.get(JOB)
    if seen_running and not (job and job.running):
        st.rerun(scope="app")  # without the timer
    with st.container(key="experiment_estimate"):
        if job is not None and job.running:
            st.progress(job.progress, "A few batches are timed …")
            st.button("Leave it", icon=":material/stop:", key="experiment_estimate_stop", on_click=job.stop)
            return
        fits = job is not None and job.study == study and job.workers == _workers(place)
        if job is not None and fits and job.estimate is not None:
            _show(job.estimate)
            return
        if job is not None and fits and job.problem:
            st.error(plain(job.problem), icon=":material/error:")
        if st.button(
            "Estimate time and cost", icon=":material/timer:", key="experiment_estimate_start", width="stretch",
            help="Times a few batches of the smallest, the largest and some other networks; it takes some seconds.",
        ):  # fmt: skip
            _begin(study, place, job)


def _begin(study: Study, place: Place, before: "EstimateJob | None") -> None:
    from core.experiments.estimate_job import EstimateJob
    from core.experiments.storage import own_storage

    if before is not None:
        before.stop()
    try:
        st.session_state[JOB] = EstimateJob(study, _workers(place), place.url or own_storage()).begin()
    except InklingError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    st.rerun(scope="app")


def _workers(place: Place) -> int:
    from core.experiments.executors import cores

    return place.workers or cores()


def _show(estimate: "Estimate") -> None:
    at_a_time = "one worker" if estimate.workers == 1 else f"{estimate.workers} workers"
    known = f" {estimate.known:,} more are in the storage already." if estimate.known else ""
    shared = estimate.apart - estimate.trainings - estimate.known
    saved = f" Sharing saves {shared:,} of {estimate.apart:,}." if shared > 0 else ""
    st.markdown(
        f":material/timer: About **{duration(estimate.wall_s)}** with {at_a_time}: {estimate.trainings:,} trainings, "
        f"{duration(estimate.training_s)} on one core.{known}{saved}"
    )
    for note in estimate.notes:
        st.caption(plain(note))
    price = st.number_input(
        "Price of a core for an hour", 0.0, 1e6, 0.0, 0.01, format="%g", key="experiment_price",
        persist_state="session", help="What a machine's hour costs you, divided by its cores; in any currency.",
    )  # fmt: skip
    if price:
        st.markdown(f":material/payments: About **{estimate.price(price):,.2f}** for all cores, from start to end.")
    timed = f"{estimate.timed:,} of {estimate.kinds:,} kinds of training were"
    st.caption(
        f"{'Its one kind of training was' if estimate.kinds == 1 else timed} timed on this machine; a busier one, or "
        "other processors, take longer or shorter."
    )
