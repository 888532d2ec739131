"""Inspect Layers: see what a network has learned, where it looks, what each unit wants; change it, and test it."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import streamlit as st

from core.errors import InklingError
from pages.components.header import heading
from pages.components.inspect.view import SECTION, View

STYLE = Path(__file__).parent / "components/inspect/inspect.css"
# Each section's name, and "module:function" of what shows it: imported when it is opened, since torch comes with it.
SECTIONS = {
    "Structure": (":material/account_tree: Structure", "structure:structure_panel"),
    "Filters": (":material/grid_on: Filters", "filters:filters_panel"),
    "Layers": (":material/layers: Layers", "layers:layers_panel"),
    "Where it looked": (":material/visibility: Where it looked", "looked:looked_panel"),
    "Stroke by stroke": (":material/gesture: Stroke by stroke", "strokes:strokes_panel"),
    "Units": (":material/psychology: Units", "units:units_panel"),
    "Surgery": (":material/content_cut: Surgery", "surgery:surgery_panel"),
    "Robustness": (":material/shield: Robustness", "robustness:robustness_panel"),
}
HANDWRITING, PHOTOS = "Handwriting and tables", "Photos"


def main() -> None:
    name = heading(
        "Inspect Layers", "See what a network has learned and where it looks; change it, and test it.", tables=True
    )
    st.html(STYLE)
    what = st.segmented_control(
        "Networks for", (HANDWRITING, PHOTOS), default=HANDWRITING, required=True, key="inspect_kind",
        persist_state="session", help="Photos: torchvision's networks, trained on ImageNet.",
    )  # fmt: skip
    if what == PHOTOS:
        st.caption("The network chosen at the top reads handwriting or tables; here another one is looked at.")
    try:
        view = _photo_view() if what == PHOTOS else _stored_view(name)
    except InklingError as error:
        st.error(str(error), icon=":material/error:")
        return
    if view is None:
        return
    st.session_state.setdefault(SECTION, "Structure")
    section = st.segmented_control(
        "Section", list(SECTIONS), required=True, format_func=lambda s: SECTIONS[s][0], wrap=True,
        key=SECTION, persist_state="session", label_visibility="collapsed",
    )  # fmt: skip
    try:
        _panel(SECTIONS[section][1])(view)
    except InklingError as error:
        st.error(str(error), icon=":material/error:")


def _stored_view(name: str | None) -> View | None:
    from pages.components.inspect.subjects import stored_subject

    if name is None:
        return None
    left, right = st.columns(2, gap="large")
    with left:
        subject, key, trained = stored_subject(name)
    return _with_specimen(View(subject, key, None, trained), left, right)


def _photo_view() -> View | None:
    from pages.components.inspect.photo_networks import photo_subject

    left, right = st.columns(2, gap="large")
    with left:
        chosen = photo_subject()
    if chosen is None:
        return None
    subject, key = chosen
    return _with_specimen(View(subject, key, None), left, right)


def _with_specimen(
    view: View, left: st.delta_generator.DeltaGenerator, right: st.delta_generator.DeltaGenerator
) -> View:
    from dataclasses import replace

    from pages.components.inspect.answer import show_answer
    from pages.components.inspect.specimens import choose_specimen, show_specimen

    with left, st.container(key="inspect_ways"):
        specimen = choose_specimen(view.subject.takes, view.trained)
        if specimen:
            show_specimen(specimen)
    view = replace(view, specimen=specimen)
    with right:
        show_answer(view)
    return view


def _panel(address: str) -> Callable[[View], None]:
    module, function = address.split(":")
    return getattr(import_module(f"pages.components.inspect.{module}"), function)


main()
