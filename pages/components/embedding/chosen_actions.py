"""What can be done with chosen samples: another label, out, into a letters set; and undone."""

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.embedding.corrections import glyph_id
from core.errors import DataError
from core.reading import written
from core.transfer.curation import DATASET, LETTERS, OTHER, relabel, remove, send, source_of, undo
from core.transfer.letters_store import list_letters
from pages.components.embedding.scene import Scene
from pages.components.train.attempt import attempt

if TYPE_CHECKING:
    from core.transfer.curation import Change

PANEL = "chosen"
DONE = "chosen_done"  # session state: the changes of this session that can be undone, the latest last
AGAIN = "chosen_again"  # session state: (key of the space, glyphs that shall be chosen in the space to come)
CHANGED = "chosen_changed"  # session state: labels have changed, so the whole page has to be shown anew
BEFORE = "chosen_before"  # session state: letters sets as they were before this session changed them, by name
LABEL, SET = "chosen_label", "chosen_set"
MOST_DONE = 30


def actions(scene: Scene, chosen: np.ndarray, ticked: bool) -> None:
    """The buttons; they act on the ticked samples, or on all that are listed where none is ticked."""
    if len(chosen):
        _buttons(scene, chosen, ticked)
    done: list[Change] = st.session_state.get(DONE, [])
    if done:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button("Undo", icon=":material/undo:", key="chosen_undo", on_click=_undo)
            st.caption(done[-1].said)


def _buttons(scene: Scene, chosen: np.ndarray, ticked: bool) -> None:
    space, count = scene.space, len(chosen)
    kinds = {source_of(space.set_names[number]).kind for number in np.unique(space.sets[chosen]).tolist()}
    many = "1 sample" if count == 1 else f"{count:,} samples"
    st.markdown(
        f"**{'The ticked' if ticked else 'All listed'}: {many}**"
        + ("" if ticked else ". Tick some to act on these only.")
    )
    left, right = st.columns(2, gap="medium")
    with left, st.container(horizontal=True, vertical_alignment="bottom"):
        label = st.selectbox(
            "Truly it is", list(space.classes), index=None, format_func=written, key=LABEL, accept_new_options=True,
            placeholder="choose or type", width=170, disabled=kinds == {OTHER},
        )  # fmt: skip
        st.button(
            "Relabel", icon=":material/label:", key="chosen_relabel", on_click=_relabel, args=(scene, chosen, label),
            disabled=label is None or kinds == {OTHER},
        )  # fmt: skip
        st.button(
            "Remove", icon=":material/delete:", key="chosen_remove", on_click=_act, args=(scene, chosen, "remove"),
            disabled=kinds == {OTHER},
        )  # fmt: skip
    with right, st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Letters set", list_letters(), index=None, key=SET, accept_new_options=True, width=260,
            placeholder="choose, or type a new name", persist_state="session",
        )  # fmt: skip
        st.button(
            "Send there", icon=":material/send:", key="chosen_send", on_click=_act, args=(scene, chosen, "send", name),
            disabled=name is None, help="Copies the glyphs with their labels, to be taught on Greek Transfer.",
        )  # fmt: skip
    st.caption(_what_it_means(kinds))


def _what_it_means(kinds: set[str]) -> str:
    said = {
        DATASET: "A data set's files stay as they are: your corrections are kept beside them, and teaching again below "
        "uses them.",
        LETTERS: "Letters of your own sets are changed in the set itself.",
        OTHER: "Samples of drawings, examples and imported tables are kept nowhere: they can only be sent to a letters "
        "set.",
    }
    return " ".join(text for kind, text in said.items() if kind in kinds)


def _relabel(scene: Scene, chosen: np.ndarray, label: str) -> None:
    _act(scene, chosen, "relabel", label)


def _act(scene: Scene, chosen: np.ndarray, what: str, value: str | None = None) -> None:
    change = attempt(PANEL, _change, scene, chosen.tolist(), what, value)
    if change is None:
        return
    done = st.session_state.setdefault(DONE, [])
    done.append(change)
    del done[:-MOST_DONE]
    before = st.session_state.setdefault(BEFORE, {})
    for letters in change.letters:
        before.setdefault(letters.name, letters)
    glyphs = {glyph_id(scene.space.glyphs[i]) for i in scene.chosen.tolist()}
    st.session_state[AGAIN] = scene.key, glyphs
    st.session_state[LABEL] = None
    _untick()


def _change(scene: Scene, chosen: list[int], what: str, value: str | None) -> "Change":
    if what == "remove":
        return remove(scene.space, chosen)
    if not value:
        raise DataError("Choose a label or a letters set first.")
    return relabel(scene.space, chosen, value) if what == "relabel" else send(scene.space, chosen, value)


def _undo() -> None:
    done = st.session_state[DONE]
    attempt(PANEL, undo, done[-1])
    done.pop()
    _untick()


def _untick() -> None:
    for key in [key for key in st.session_state if str(key).startswith("chosen_tick_")]:
        st.session_state[key] = False
    st.session_state[CHANGED] = True
