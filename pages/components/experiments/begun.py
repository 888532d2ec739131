"""A study that exists: its question and hypothesis, how it stands, its results."""

from typing import TYPE_CHECKING

import streamlit as st

from core.errors import InklingError
from core.experiments.dimensions import DIMENSIONS
from core.experiments.study import Range, Study, text_of
from pages.components.experiments.checked import CHOSEN, free_name
from pages.components.experiments.draft import record_of, replace_draft, toml_of_record
from pages.components.experiments.place import Place
from pages.components.experiments.words import STRATEGY_TITLES
from pages.components.keys import EXPERIMENT_RESULTS
from pages.components.markup import plain
from pages.components.train.titles import dataset_title

if TYPE_CHECKING:
    from core.experiments.storage import Storage


def begun_study(name: str, names: list[str], storage: "Storage", place: Place) -> None:
    from pages.components.experiments.live import live_panel
    from pages.components.experiments.results import results_panel

    try:
        study, _ = storage.open(name)
    except InklingError as error:
        st.error(plain(str(error)), icon=":material/error:")
        _delete(name, storage, False)
        return
    _asked(study)
    running = live_panel(study, storage, place)
    with st.container(key=EXPERIMENT_RESULTS):
        results_panel(study, storage, running)
    _about(study, names, storage, running)


def _asked(study: Study) -> None:
    """The question and what was expected, as they were written before the run."""
    st.subheader(plain(study.question), anchor=False)
    st.markdown(f"**Hypothesis:** {plain(study.hypothesis)}" if study.hypothesis.strip() else
                "No hypothesis was written before the run.")  # fmt: skip
    st.caption(plain(summary(study)))


def summary(study: Study) -> str:
    """What is varied and how, in one line."""
    varied = "; ".join(f"{DIMENSIONS[name].label}: {_values(values)}" for name, values in study.dimensions.items())
    fixed = "".join(f", {DIMENSIONS[name].label} {text_of(value)}" for name, value in study.settings.items())
    seeds = f"{study.seeds} seeds" if study.seeds > 1 else "one seed"
    folds = f", {study.folds} folds" if study.folds else ""
    strategy = STRATEGY_TITLES[study.strategy].partition(":")[0]
    network = "" if "source" in {*study.settings, *study.dimensions} else f"network {study.network}, "
    return (
        f"{varied}. Held fixed: {network}data set {dataset_title(study.dataset)}{fixed}. "
        f"Strategy: {strategy}, {seeds}{folds} each."
    )


def _values(values: object) -> str:
    if isinstance(values, Range):
        return f"{values.low:g} to {values.high:g}" + (" (log)" if values.log else "")
    return ", ".join(f"[{text_of(v)}]" if isinstance(v, tuple) else text_of(v) for v in values)  # type: ignore


def _about(study: Study, names: list[str], storage: "Storage", running: bool) -> None:
    """The file, a copy to write on, and the way out."""
    record = record_of(study)
    with st.expander("The study itself", icon=":material/description:"):
        st.code(toml_of_record(record), language="toml")
        with st.container(horizontal=True):
            st.download_button(
                "The study as a file", toml_of_record(record), f"{study.name}.toml", "application/toml",
                icon=":material/download:", key="experiment_file", on_click="ignore",
            )  # fmt: skip
            st.button(
                "Write a new one from it", icon=":material/content_copy:", key="experiment_copy",
                on_click=_copy, args=(record, names), help="All of it can be changed; this study stays as it is.",
            )  # fmt: skip
            _delete(study.name, storage, running)


def _copy(record: dict, names: list[str]) -> None:
    replace_draft(record | {"name": free_name(record["name"], names)})
    st.session_state[CHOSEN] = ""


def _delete(name: str, storage: "Storage", running: bool) -> None:
    with st.popover("Delete", icon=":material/delete:", disabled=running, help="Stop it first." if running else None):
        st.markdown(
            plain(f"The study {name!r} and its trials leave the storage for good.") + " What its single trainings "
            "found stays there: the same study begun again is answered from it."
        )
        sure = st.checkbox("Yes, delete it", key=f"experiment_sure_{name}")
        if st.button("Delete the study", key="experiment_delete", type="primary", disabled=not sure) and sure:
            from core.experiments.removal import delete_study

            try:
                delete_study(storage, name)
            except InklingError as error:
                st.error(plain(str(error)), icon=":material/error:")
                return
            st.session_state.pop(CHOSEN, None)
            st.query_params.pop("study", None)
            st.rerun()
