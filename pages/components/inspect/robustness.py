"""Robustness: the current picture on dials, under every corruption, and the league of all networks."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.errors import InklingError
from core.reading import written
from core.report.figures import likeliest_bars, percent, probability_bars
from core.report.sample_figures import picture_address
from pages.components.caches import recognizer
from pages.components.figure import show_figure
from pages.components.inspect.answer import MANY, answer
from pages.components.inspect.league import league_panel
from pages.components.inspect.view import View, does_not_apply, missing_specimen
from pages.components.kept import kept

if TYPE_CHECKING:
    from core.inspection.dials import Dials, Sweep

STYLE = Path(__file__).with_suffix(".css")
DIAL, SHEET, LEAGUE = "dial", "sheet", "league"
PARTS = {
    DIAL: ":material/tune: This picture, on dials",
    SHEET: ":material/apps: This picture, 75 ways",
    LEAGUE: ":material/leaderboard: League of networks",
}
MOVED = "robust_moved"  # the dial that was moved last
KEY = "robust_dial_{}"
MOST_RANGES = 4  # that a sentence lists; the figure shows all


def robustness_panel(view: View) -> None:
    st.html(STYLE)
    parts = list(PARTS) if view.subject.takes == "glyphs" else [DIAL]
    part = parts[0]
    if len(parts) > 1:
        part = st.segmented_control(
            "What to test", parts, default=DIAL, required=True, format_func=PARTS.get, wrap=True, key="robust_part",
            label_visibility="collapsed",
        )  # fmt: skip
    if part == LEAGUE:
        league_panel(view)
        return
    if not view.subject.classes:
        does_not_apply("This network has no output layer, so there is no answer that could change.")
    elif not missing_specimen(view):
        {DIAL: _features if view.subject.takes == "features" else _dials, SHEET: _sheet}[part](view)


@st.fragment
def _dials(view: View) -> None:
    from core.inspection.dials import DIALS, NOT_FOR_PHOTOS

    assert view.specimen is not None
    photo = view.subject.takes == "photos"
    shown = [name for name in DIALS if not (photo and name in NOT_FOR_PHOTOS)]
    st.caption(
        "Lengths are in 28ths of the photo’s longer side." if photo else
        "The dials change the 28 × 28 pixels that the network itself gets; nothing is cut out or centred anew."
    )  # fmt: skip
    left, right = st.columns(2, gap="large")
    with left:
        _sliders(shown, view.subject.takes)
    dials = _now(shown)
    moved = st.session_state.get(MOVED)
    moved = moved if moved in shown else shown[0]
    changed = dials.apply(view.specimen.pixels)
    probabilities, said = _asked(view, changed, dials)
    with right:
        _pictures(view, changed, said)
        found = _swept(view, dials, moved)
        dial = DIALS[moved]
        _curve(view, found, getattr(dials, moved), dial.title, dial.unit_on(view.subject.takes))
        _answer(view, changed, dials, probabilities)


def _sliders(shown: list[str], takes: str) -> None:
    from core.inspection.dials import DIALS

    with st.container(key="robust_dials"), st.grid(2, min_column_width=150):
        for name in shown:
            dial = DIALS[name]
            st.slider(
                f"{dial.title} ({dial.unit_on(takes)})", float(dial.low), float(dial.high), float(dial.neutral),
                float(dial.step), format="%g", key=KEY.format(name), on_change=_remember, args=(name,),
            )  # fmt: skip
    st.button("Reset", icon=":material/restart_alt:", key="robust_reset", on_click=_reset)


def _where_others(found: "Sweep", whole: str) -> str:
    """A sentence that says in which ranges another answer comes first; `whole` where there is none."""
    tried = f"({len(found.values)} values are tried.)"
    if not found.others:
        return f"{whole} {tried}"
    told = [f"{_number(low)} to {_number(high)}" for low, high in found.others[:MOST_RANGES]]
    listed = ", ".join(told) + ", …" if len(found.others) > MOST_RANGES else " and ".join(told)
    return f"Shaded (✗): another answer comes first, from {listed}. {tried}"


def _number(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")


def _remember(name: str) -> None:
    st.session_state[MOVED] = name


def _reset() -> None:
    from core.inspection.dials import DIALS

    for name, dial in DIALS.items():
        st.session_state[KEY.format(name)] = float(dial.neutral)


def _now(shown: list[str]) -> "Dials":
    from core.inspection.dials import Dials

    return Dials(**{name: float(st.session_state[KEY.format(name)]) for name in shown})


def _asked(view: View, changed: np.ndarray, dials: "Dials") -> tuple[np.ndarray, str]:
    """The probabilities `(C,)` of the changed picture, and in words whether the answer is another one."""
    from dataclasses import replace

    assert view.specimen is not None
    subject, specimen = view.subject, replace(view.specimen, pixels=changed)
    probabilities = kept(
        ("robust answer", view.keys, dials), lambda: subject.probabilities(subject.inputs(specimen))[0]
    )
    first, now = int(answer(view).argmax()), int(probabilities.argmax())
    sure = f"{percent(probabilities[now])} sure"
    before, after = (written(subject.classes[k]) for k in (first, now))
    if first == now:
        return probabilities, f"It still answers **{after}**, {sure}."
    return probabilities, f":red[✗] It answered {before}; now **{after}**, {sure}."


def _pictures(view: View, changed: np.ndarray, said: str) -> None:
    assert view.specimen is not None
    if changed.ndim == 3:
        st.image(changed, caption=f"{view.specimen.name}, changed", width=300)
    else:
        pair = "".join(
            f'<figure><img alt="{what}" src="{picture_address(glyph * 255)}"><figcaption>{what}</figcaption></figure>'
            for what, glyph in (("as it was", view.specimen.pixels), ("changed", changed))
        )
        st.html(f'<div class="robust-pair">{pair}</div>')
    st.markdown(said)


def _answer(view: View, changed: np.ndarray, dials: "Dials", probabilities: np.ndarray) -> None:
    """What the network answers to the changed picture, and the whole pipeline beside it."""
    subject, named = view.subject, view.subject.classes
    title = "What it answers to the changed picture"
    many = len(named) > MANY
    bars = likeliest_bars(probabilities, named, title) if many else probability_bars(probabilities, named, title)
    show_figure(bars, "robust_answer", "Compare with its answer to the untouched picture, further up.")
    if view.trained is not None and not subject.moment and changed.ndim == 2:
        st.markdown(kept(("robust pipeline", view.keys, dials), lambda: _pipeline(view, changed)))


def _pipeline(view: View, glyph: np.ndarray) -> str:
    """What the whole way from a picture on paper to a reading makes of the changed glyph."""
    from core.inspection.dials import as_paper

    assert view.trained is not None
    try:
        page = recognizer(view.trained.name).read(as_paper(glyph))
    except InklingError as error:
        return str(error)
    read = [
        f"**{written(r.label)}** ({percent(r.confidence)})" if r.label else f"nothing ({r.reason})"
        for r in page.readings
    ]
    told = ", ".join(read[:6]) + (", …" if len(read) > 6 else "") if read else "nothing at all"
    return f"The whole reading pipeline, which cuts symbols out and brings them to size and place first, reads: {told}."


def _swept(view: View, dials: "Dials", moved: str) -> "Sweep":
    from dataclasses import replace

    from core.inspection.dials import DIALS, sweep

    assert view.specimen is not None
    specimen = view.specimen
    others = replace(dials, **{moved: DIALS[moved].neutral})  # the curve is the same wherever this dial stands
    return kept(("robust sweep", view.keys, others, moved), lambda: sweep(view.subject, specimen, others, moved))


def _curve(view: View, found: "Sweep", now: float, title: str, unit: str) -> None:
    from core.report.robustness_figures import sweep_figure

    label = written(view.subject.classes[found.original])
    what = _where_others(found, f"Over the whole dial it answers {label}.")
    show_figure(
        sweep_figure(found.values, found.of_original, now, found.others, title, unit, label), "robust_sweep",
        f"{what} The ring is where the dial stands now. Move another dial for its curve.",
    )  # fmt: skip


@st.fragment
def _features(view: View) -> None:
    """One feature of a table's row moved, all others as they are."""
    from core.inspection.dials import sweep_feature
    from core.report.robustness_figures import sweep_figure

    assert view.specimen is not None
    specimen, columns = view.specimen, view.subject.columns
    number = st.selectbox("Feature", range(len(columns)), format_func=lambda i: columns[i], key="robust_feature")
    found = kept(("robust feature", view.keys, number), lambda: sweep_feature(view.subject, specimen, number))
    own = float(specimen.pixels[number])
    low, high = float(found.values[0]), float(found.values[-1])
    now = st.slider(
        f"{columns[number]}, as the network gets it (0 is the mean, 1 a standard deviation above it)", low, high,
        min(max(own, low), high), 0.01, key=f"robust_value_{number}_{specimen.key[:8]}",
    )  # fmt: skip
    probabilities = [np.interp(now, found.values, column) for column in found.probabilities.T]
    best = int(np.argmax(probabilities))
    label = view.subject.classes[found.original]
    st.markdown(f"It answers **{view.subject.classes[best]}**, {percent(max(probabilities))} sure.")
    show_figure(
        sweep_figure(found.values, found.of_original, now, found.others, columns[number], "scaled", label),
        "robust_feature_sweep",
        _where_others(found, f"Over all values it answers {label}.")
        + " All other features stay as they are; corruptions of pictures do not apply to a table.",
    )


def _sheet(view: View) -> None:
    """All corruptions at all strengths of the current glyph, each with the answer."""
    from core.inspection.corruptions import CORRUPTIONS, STRENGTHS, corrupt
    from core.report.robustness_figures import corruption_sheet
    from pages.components.screen import is_narrow

    assert view.specimen is not None
    subject, pixels = view.subject, view.specimen.pixels

    def make() -> tuple[np.ndarray, np.ndarray]:
        import torch

        from core.networks.base import as_input

        glyph = np.rint(pixels * 255).clip(0, 255).astype(np.uint8)[None]
        all_ways = np.stack([np.concatenate([corrupt(glyph, kind, s) for s in STRENGTHS]) for kind in CORRUPTIONS])
        inputs = as_input(torch.from_numpy(all_ways.reshape(-1, 28, 28)))
        return all_ways, subject.probabilities(inputs).argmax(1).reshape(all_ways.shape[:2])

    glyphs, answers = kept(("robust sheet", view.keys), make)
    first = int(answer(view).argmax())
    names = [[subject.classes[a] for a in row] for row in answers]
    changed = int((answers != first).sum())
    titles = [kind.title for kind in CORRUPTIONS.values()]
    show_figure(
        corruption_sheet(
            glyphs, names, subject.classes[first], titles,
            f"{changed} of {answers.size} change the answer", is_narrow(),
        ),
        "robust_sheet",
        f"To the untouched picture it answers {written(subject.classes[first])}. Framed with dashes: the answer is "
        "another one then. Strength 1 is mild; 5 is strong, and not every person reads every one.",
    )  # fmt: skip
    with st.expander("What the corruptions do, in numbers", icon=":material/table:"):
        import pandas as pd

        rows = [
            {"corruption": kind.title, "what": kind.about, "unit": kind.unit}
            | {f"strength {s}": level for s, level in zip(STRENGTHS, kind.levels, strict=True)}
            for kind in CORRUPTIONS.values()
        ]
        st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch", key="robust_levels")
