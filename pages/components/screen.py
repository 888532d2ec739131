"""How wide the screen is: for figures that CSS cannot lay out anew."""

import streamlit as st

NARROW_PX = 640  # as Streamlit's own columns: below, they stand one under the other
KEY = "screen"

_JAVASCRIPT = """
export default function ({ data, setStateValue }) {
  const query = window.matchMedia(`(max-width: ${data.narrowPx}px)`);
  const tell = () => { if (query.matches !== data.known) setStateValue("narrow", query.matches); };
  tell();
  query.addEventListener("change", tell);
  return () => query.removeEventListener("change", tell);
}
"""
_screen = st.components.v2.component("inkling_screen", js=_JAVASCRIPT)


def is_narrow() -> bool:
    """Whether the screen is as narrow as a phone's; guessed until the browser has said it, which makes a rerun."""
    said = (st.session_state.get(KEY) or {}).get("narrow")
    known = "Mobi" in st.context.headers.get("User-Agent", "") if said is None else bool(said)
    _screen(
        key=KEY, data={"narrowPx": NARROW_PX, "known": known}, on_narrow_change=lambda: None, height="content"
    )  # without a callback no value is kept
    return known
