"""A network's drawing; its boxes may lead somewhere. As a component, since `st.html` leaves drawings (SVG) out."""

from collections.abc import Callable

import streamlit as st

KEY = "network_diagram"

_JAVASCRIPT = """
export default function ({ parentElement, data, setTriggerValue }) {
  let place = parentElement.querySelector(".place");
  if (!place) {
    place = document.createElement("div");
    place.className = "place";
    parentElement.appendChild(place);
  }
  if (place.shown !== data.html) {
    place.innerHTML = data.html;
    place.shown = data.html;
  }
  const go = (event) => {
    const box = event.target.closest("[data-target]");
    if (!box || (event.type === "keydown" && event.key !== "Enter" && event.key !== " ")) return;
    event.preventDefault();
    setTriggerValue("clicked", box.dataset.target);
  };
  place.onclick = go;
  place.onkeydown = go;
}
"""
_component = st.components.v2.component("inkling_diagram", js=_JAVASCRIPT)


def show_diagram(html: str, on_click: Callable[[str], None] = lambda target: None) -> None:
    """Shows `diagram_html`'s drawing; a clicked box's target goes to `on_click`."""
    _component(
        key=KEY,
        data={"html": html},
        on_clicked_change=lambda: on_click(st.session_state[KEY]["clicked"]),
        height="content",
    )
