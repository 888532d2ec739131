"""Ctrl+V anywhere on the page hands in the picture from the clipboard."""

import base64
from collections.abc import Callable

import streamlit as st

KEY = "draw_paste"
PASTED = "draw_pasted"  # the newest pasted picture's content; a trigger's value is gone after one run

_JAVASCRIPT = """
const listeners = new WeakMap();  // this function runs again at every rerun of the page

export default function ({ parentElement, setTriggerValue }) {
  const stop = () => document.removeEventListener("paste", listeners.get(parentElement));
  stop();
  listeners.set(parentElement, (event) => {
    const picture = [...event.clipboardData.files].find((file) => file.type.startsWith("image/"));
    if (!picture) return;
    const reader = new FileReader();
    reader.onload = () => setTriggerValue("picture", reader.result.split(",")[1]);
    reader.readAsDataURL(picture);
  });
  document.addEventListener("paste", listeners.get(parentElement));
  return stop;
}
"""
_listener = st.components.v2.component("inkling_paste", js=_JAVASCRIPT)


def pasted_picture(on_change: Callable[[], None]) -> bytes | None:
    """Listens for pictures from the clipboard; the newest one's content."""

    def keep() -> None:
        st.session_state[PASTED] = base64.b64decode(st.session_state[KEY]["picture"])
        on_change()

    _listener(key=KEY, on_picture_change=keep, height="content")
    return st.session_state.get(PASTED)
