"""Stroke by stroke: the drawing without each of its pen strokes, and what the network then answers."""

from html import escape
from pathlib import Path

import streamlit as st

from core.inspection.strokes import Answer, Dissection, Part, dissect, read_strokes
from core.reading import written
from core.report.attribution_figures import picture_png
from core.report.figures import percent
from core.report.stroke_pictures import numbered_strokes, without_stroke
from pages.components.inspect.answer import answer
from pages.components.inspect.specimens import DRAWING, WAY
from pages.components.inspect.view import View, does_not_apply
from pages.components.kept import kept

STYLE = Path(__file__).parent / "strokes.css"
NO_MATTER = 0.01  # probability: what is lost less than that is called no matter


def strokes_panel(view: View) -> None:
    if view.subject.takes != "glyphs":
        does_not_apply("Strokes belong to handwriting: choose a network that reads glyphs, and draw a symbol.")
        return
    if view.specimen is None or not view.specimen.strokes:
        _ask_for_a_drawing(view)
        return
    strokes = read_strokes(view.specimen.strokes)
    if not strokes:
        does_not_apply("The drawing's strokes cannot be read; clear the canvas and draw the symbol anew.")
        return
    found = kept(("strokes", *view.keys), lambda: dissect(view.subject, strokes))
    st.html(STYLE)
    _say_what_matters(view, found)
    _cards(view, found)
    _about(view, found, len(view.specimen.strokes) - len(strokes))


def _ask_for_a_drawing(view: View) -> None:
    if st.session_state.get(WAY) == DRAWING:
        st.info("Draw a symbol above; it is then taken apart stroke by stroke.", icon=":material/draw:")
        return
    what = view.specimen.name if view.specimen else "what is shown"
    st.info(
        f"Of {what} only the finished picture is known, not the pen's strokes. Draw a symbol yourself, in two or more "
        "strokes, and see which of them the answer hangs on.",
        icon=":material/gesture:",
    )
    st.button("Draw a symbol", icon=":material/draw:", key="inspect_strokes_draw", on_click=_choose_drawing)


def _choose_drawing() -> None:
    st.session_state[WAY] = DRAWING


def _name(view: View, answer: Answer) -> str:
    """What is answered, or that there is nothing left."""
    return "nothing" if answer.best is None else written(view.subject.classes[answer.best])


def _part_name(found: Dissection, position: int) -> str:
    return f"{'piece' if found.pieces else 'stroke'} {position + 1}"


def _say_what_matters(view: View, found: Dissection) -> None:
    """One sentence about the part that costs most."""
    whole, position = found.whole, found.most_important
    assert whole.probabilities is not None
    assert whole.best is not None
    part, name = found.parts[position], _name(view, whole)
    before, loss = float(whole.probabilities[whole.best]), found.loss(part)
    if loss < NO_MATTER:
        text = f"No single {'piece' if found.pieces else 'stroke'} decides: without any one of them it stays {name}."
    else:
        rest = "nothing can be read" if part.without.best is None else f"the answer is {_name(view, part.without)}"
        text = (
            f"{_part_name(found, position).capitalize()} matters most: without it {rest}, and the probability of "
            f"{name} falls from {percent(before)} to {percent(before - loss)}."
        )
    st.success(text, icon=":material/gesture:")


def _cards(view: View, found: Dissection) -> None:
    cards = [_whole_card(view, found)] + [_card(view, found, position) for position in range(len(found.parts))]
    st.html(f'<div class="inspect-strokes">{"".join(cards)}</div>')


def _whole_card(view: View, found: Dissection) -> str:
    whole = found.whole
    assert whole.probabilities is not None
    assert whole.best is not None
    height, width = whole.picture.shape
    numbered = numbered_strokes([part.strokes for part in found.parts], (width, height))
    return _html(
        "The whole drawing", picture_png(numbered), _name(view, whole),
        f"{percent(float(whole.probabilities[whole.best]))} sure",
    )  # fmt: skip


def _card(view: View, found: Dissection, position: int) -> str:
    part, height_width = found.parts[position], found.whole.picture.shape
    picture = without_stroke(part.strokes, part.others, (height_width[1], height_width[0]))
    name, points = _name(view, found.whole), -found.loss(part) * 100
    change = f"{points:+.1f}".replace("-0.0", "0.0").replace("+0.0", "0.0").replace("-", "−")
    most = " most" if position == found.most_important and found.loss(part) >= NO_MATTER else ""
    return _html(
        f"Without {_part_name(found, position)}", picture_png(picture), _answer(view, part.without),
        f"{name}: {change} points", _alone(view, part), most,
    )  # fmt: skip


def _answer(view: View, answer: Answer) -> str:
    if answer.best is None or answer.probabilities is None:
        return "nothing left"
    return f"{_name(view, answer)}, {percent(float(answer.probabilities[answer.best]))}"


def _alone(view: View, part: Part) -> str:
    if part.alone.best is None:
        return "alone: no symbol"
    return f"alone: {_answer(view, part.alone)}"


def _html(title: str, picture: str, answer: str, *lines: str) -> str:
    most = "inspect-most" if lines and lines[-1] == " most" else ""
    title = f"{title}: matters most" if most else title
    text = "".join(f"<span>{escape(line)}</span>" for line in lines if line.strip() and line != " most")
    return (
        f'<figure class="{most}"><figcaption>{escape(title)}</figcaption><img alt="{escape(title)}" src="{picture}">'
        f"<strong>{escape(answer)}</strong>{text}</figure>"
    )


def _about(view: View, found: Dissection, unreadable: int) -> None:
    own = answer(view)
    assert found.whole.best is not None
    what = "pieces" if found.pieces else "strokes"
    text = f"Numbers: the {what} in the order of the pen. "
    text += (
        "Dashes: what was taken away. Points: by how many percentage points the first answer's probability changes. "
    )
    if found.pieces:
        text += (
            "You drew a single stroke, so it was cut into pieces of equal length instead (a heuristic: the pen knows "
            "no such pieces). "
        )
    text += (
        "Each picture is drawn again from the strokes, found and normalised like any drawing, so what is left moves to "
        "the middle; if it falls apart, its largest part counts. Drawn again, the whole is "
        f"{_answer(view, found.whole)}; from the canvas itself {written(view.subject.classes[int(own.argmax())])}, "
        f"{percent(float(own.max()))}."
    )
    if unreadable:
        text += f" {unreadable} of the canvas's objects could not be read as strokes and are left out."
    st.caption(text)
