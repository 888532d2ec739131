"""The letters as a grid by class, to be looked at and chosen from by tapping."""

from collections.abc import Iterable

import streamlit as st

from core.reading import written
from core.report.sample_figures import picture_address
from core.transfer.letters_set import Letter, LettersSet
from core.transfer.preparation import glyph_of

KEY = "letters_grid"
START = "letters_grid_start"  # what is chosen when the grid is shown anew: ids, and a number that tells it is new

_CSS = """
.group { margin: 0 0 0.9rem; }
.head { display: flex; align-items: baseline; gap: 0.5rem; margin-bottom: 0.3rem; font-size: 0.9rem; }
.head b { font-size: 1.25rem; overflow-wrap: anywhere; }
.head button { font: inherit; color: inherit; background: none; border: 0; padding: 0.3rem; text-decoration: underline;
  cursor: pointer; opacity: 0.75; }
.tiles { display: flex; flex-wrap: wrap; gap: 6px; }
.tile { display: flex; gap: 3px; padding: 3px; border: 2px solid rgba(128, 136, 149, 0.3); border-radius: 8px;
  background: none; cursor: pointer; position: relative; color: inherit; font: inherit; }
.tile img, .tile .none { width: 46px; height: 46px; border-radius: 4px; image-rendering: pixelated; display: block; }
.tile .none { display: grid; place-items: center; border: 1px dashed currentColor; box-sizing: border-box;
  font-size: 10px; line-height: 1.1; text-align: center; opacity: 0.7; }
.tile[aria-pressed=true] { border-color: var(--st-primary-color, #0f766e); outline: 2px solid currentColor; }
.tile[aria-pressed=true]::after { content: "✓"; position: absolute; top: -7px; right: -7px; width: 18px; height: 18px;
  border-radius: 9px; background: var(--st-primary-color, #0f766e); color: #fff; font-size: 12px; line-height: 18px; }
"""
_JAVASCRIPT = """
export default function ({ parentElement, data, setStateValue }) {
  let place = parentElement.querySelector(".place");
  if (!place) {
    place = document.createElement("div");
    place.className = "place";
    parentElement.appendChild(place);
    place.chosen = new Set();
  }
  if (place.revision !== data.revision) {
    place.revision = data.revision;
    place.chosen = new Set(data.chosen);
  }
  const tell = () => {
    clearTimeout(place.timer);
    place.timer = setTimeout(
      () => setStateValue("chosen", { revision: place.revision, ids: [...place.chosen] }), 250);
  };
  const make = (tag, name, text) => {
    const element = document.createElement(tag);
    if (name) element.className = name;
    if (text) element.textContent = text;
    return element;
  };
  const mark = () => place.querySelectorAll(".tile").forEach(
    (tile) => tile.setAttribute("aria-pressed", place.chosen.has(tile.dataset.id)));
  const signature = JSON.stringify(data.groups);
  if (place.signature !== signature) {
    place.signature = signature;
    place.replaceChildren(...data.groups.map((group) => {
      const block = make("div", "group");
      const head = make("div", "head");
      const all = make("button", "", "choose all");
      all.onclick = () => {
        const ids = group.letters.map((letter) => letter.id);
        const full = ids.every((id) => place.chosen.has(id));
        ids.forEach((id) => (full ? place.chosen.delete(id) : place.chosen.add(id)));
        mark(); tell();
      };
      head.append(make("b", "", group.sign), make("span", "", group.about), all);
      const tiles = make("div", "tiles");
      for (const letter of group.letters) {
        const tile = make("button", "tile");
        tile.dataset.id = letter.id;
        tile.title = letter.origin;
        tile.setAttribute("aria-label", `${group.sign}, ${letter.origin}`);
        for (const address of letter.pictures) {
          if (address) {
            const picture = make("img");
            picture.src = address;
            picture.alt = "";
            tile.append(picture);
          } else tile.append(make("span", "none", "no symbol"));
        }
        tile.onclick = () => {
          place.chosen.has(letter.id) ? place.chosen.delete(letter.id) : place.chosen.add(letter.id);
          mark(); tell();
        };
        tiles.append(tile);
      }
      block.append(head, tiles);
      return block;
    }));
  }
  mark();
}
"""
_component = st.components.v2.component("inkling_letters", css=_CSS, js=_JAVASCRIPT)


def letters_grid(letters: LettersSet, shown: Iterable[Letter], preparations: tuple[str, ...]) -> frozenset[str]:
    """Shows these letters of the set; the ids of those that are chosen."""
    start = st.session_state.setdefault(START, {"revision": 0, "ids": []})
    there = {letter.id for letter in letters.letters}
    said = (st.session_state.get(KEY) or {}).get("chosen") or {}
    chosen = said["ids"] if said.get("revision") == start["revision"] else start["ids"]
    _component(
        key=KEY,
        data={
            "groups": _groups(letters, list(shown), preparations),
            "chosen": start["ids"],
            "revision": start["revision"],
        },
        on_chosen_change=lambda: None,
        height="content",
    )
    return frozenset(id for id in chosen if id in there)


def choose(ids: Iterable[str]) -> None:
    """Makes these the chosen letters from the next run on."""
    revision = st.session_state.get(START, {"revision": 0})["revision"]
    st.session_state[START] = {"revision": revision + 1, "ids": list(ids)}


def _groups(letters: LettersSet, shown: list[Letter], preparations: tuple[str, ...]) -> list[dict]:
    groups = []
    for label in letters.classes:
        inside = [letter for letter in shown if letter.label == label]
        if not inside:
            continue
        count = letters.counts[label]
        name = f"{label}, " if written(label) != label else ""
        groups.append(
            {
                "sign": written(label),
                "about": f"{name}{count} picture{'s' if count != 1 else ''}",
                "letters": [
                    {"id": letter.id, "origin": letter.origin, "pictures": [_address(letter, p) for p in preparations]}
                    for letter in inside
                ],
            }
        )
    return groups


def _address(letter: Letter, preparation: str) -> str | None:
    glyph = glyph_of(letter.png, preparation)
    return None if glyph is None else picture_address(glyph, scale=1)
