"""Which study is looked at: one of the storage's, or a new one."""

import streamlit as st

from pages.components.experiments.checked import CHOSEN

NEW = ""  # no study has this name


def choose_study(names: list[str]) -> str:
    """The chosen study's name, or `NEW`; the newest one at first. The address names it too, for a reload."""
    wanted = st.session_state.pop(f"{CHOSEN}_next", None)
    if wanted is None:
        wanted = st.session_state.get(CHOSEN, st.query_params.get("study"))
    if wanted not in names and wanted != NEW:
        wanted = names[0] if names else NEW
    st.session_state[CHOSEN] = wanted
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Study", [NEW, *names], key=CHOSEN, persist_state="session", format_func=lambda name: name or "A new study",
            help="The studies in this storage, the newest first.",
        )  # fmt: skip
        if name != NEW:
            st.button("New study", icon=":material/add:", key="experiment_new", on_click=_new)
    if name == NEW:
        st.query_params.pop("study", None)
    else:
        st.query_params["study"] = name
    return name


def _new() -> None:
    st.session_state[CHOSEN] = NEW
