"""The picture that a unit wants to see most, made for it by activation maximisation."""

from functools import partial

import numpy as np
import streamlit as st

from core.inspection.maximise import RESTARTS, Ideal, maximise
from core.inspection.receptive import Box
from core.inspection.units import by_unit
from core.reading import written
from core.report.attribution_figures import picture_png
from core.report.figures import percent
from core.report.unit_figures import unit_bars
from pages.components.figure import show_figure
from pages.components.inspect.units_question import Unit
from pages.components.kept import kept
from pages.components.train.tested import with_progress

Strongest = tuple[float, np.ndarray]  # the largest output on a test sample, and that sample, (28, 28) uint8


def ideal_panel(unit: Unit, strongest: Strongest | None) -> None:
    """The ideal picture beside the strongest test sample, if there are any; of a photo network when asked for."""
    title = (
        f"A picture made to look like {written(unit.label)} to the network" if unit.label else "A picture made for it"
    )
    st.subheader(title)
    if strongest is None and not st.toggle(
        "Make a picture that it wants", key="inspect_units_ideal", persist_state="session",
        help="64 steps forwards and backwards through the network; takes several seconds for a photo network.",
    ):  # fmt: skip
        return
    ideal = _ideal(unit)
    if ideal is None:
        st.warning(
            "No picture could be found: from noise of any strength there is no direction in which the unit becomes "
            "more active.",
            icon=":material/power_off:",
        )
        return
    left, right = st.columns([2, 3], gap="large")
    with left:
        _pictures(unit, ideal, strongest)
    with right:
        _bars(unit, ideal, strongest)
    _verdict(unit, ideal)


def _ideal(unit: Unit) -> Ideal | None:
    view = unit.view
    text = f"A picture is made for {unit.name} …"
    make = partial(maximise, view.subject, unit.layer, unit.number)
    return kept(
        ("ideal", view.key, unit.layer.name, unit.number),
        lambda: with_progress(text, lambda tell: make(progress=tell)),
    )


def _pictures(unit: Unit, ideal: Ideal, strongest: Strongest | None) -> None:
    picture = unit.view.subject.seen(ideal.inputs)
    tiles = [_tile(picture_png(picture), "made for the unit")]
    if (view := _middle_view(unit, picture.shape)) is not None:
        top, left, bottom, right = view
        tiles.append(_tile(picture_png(picture[top:bottom, left:right]), "of it, what the unit sees"))
    if strongest is not None:
        tiles.append(_tile(picture_png(strongest[1] / 255), "the strongest test sample"))
    st.html(f'<div class="inspect-units inspect-large">{"".join(tiles)}</div>')


def _middle_view(unit: Unit, shape: tuple[int, ...]) -> Box | None:
    """What the middle of the unit's map sees, for which the picture is made; None unless it is a small part."""
    if unit.field is None or 2 * max(unit.field.size) > min(shape[:2]):
        return None
    height, width = unit.layer.shape[1:]
    return unit.field.box(height // 2, width // 2, (shape[0], shape[1]))


def _tile(address: str, caption: str) -> str:
    return f'<figure><img alt="{caption}" src="{address}"><figcaption>{caption}</figcaption></figure>'


def _bars(unit: Unit, ideal: Ideal, strongest: Strongest | None) -> None:
    values, names = [ideal.activation], ["picture made for it"]
    if strongest is not None:
        values.append(strongest[0])
        names.append("strongest test sample")
    if unit.view.specimen is not None:
        values.append(_own(unit))
        names.append(unit.view.specimen.name)
    photo = unit.view.subject.takes == "photos"
    pull = "the mean colour and smooth areas" if photo else "little and smooth ink"
    ascents = RESTARTS[unit.view.subject.takes]
    best = f" Of {ascents} ascents from different noise the best is shown." if ascents > 1 else ""
    show_figure(
        unit_bars(values, names, "Largest output of the unit"), "inspect_units_outputs",
        "The picture began as noise and was changed step by step to raise the unit's output (it climbed its slope); "
        f"jitter, and a pull towards {pull}, keep it from becoming noise again.{best} {_compared(values, names)}",
    )  # fmt: skip


def _compared(values: list[float], names: list[str]) -> str:
    """Whether the climb got as high as what is real."""
    highest = int(np.argmax(values))
    if highest:
        return (
            f"Found by climbing; the {names[highest]} excites the unit more ({values[highest]:.2f} against "
            f"{values[0]:.2f}): the climb did not reach the top, so this is a picture that the unit likes, not the one "
            "that it likes best."
        ).replace("-", "−")
    if len(values) == 1:
        return ""
    return "It excites the unit more than what is real here: the unit asks for more than these pictures give."


def _own(unit: Unit) -> float:
    view = unit.view
    assert view.specimen is not None
    output = view.subject.activations(view.subject.inputs(view.specimen), (unit.layer.name,))[unit.layer.name]
    return float(by_unit(output, unit.layer.shape)[0, unit.number].max())


def _verdict(unit: Unit, ideal: Ideal) -> None:
    """How the network itself would answer to the ideal picture of a class."""
    subject = unit.view.subject
    if unit.label is None:
        return
    probabilities = subject.probabilities(ideal.inputs)[0]
    best = int(probabilities.argmax())
    text = (
        f"The network reads this picture as {written(subject.classes[best])}, "
        f"{percent(float(probabilities[best]))} sure"
    )
    if best != unit.number:
        text += f" ({written(unit.label)}: {percent(float(probabilities[unit.number]))})"
    if subject.threshold is None:
        st.info(f"{text}. It refuses nothing at this moment: there is no threshold.", icon=":material/help:")
        return
    score = float(subject.logits(ideal.inputs).logsumexp(1)[0])
    refused = score < subject.threshold
    st.info(
        f"{text}. It would be {'refused' if refused else 'accepted'}: its familiarity score of {score:.2f} is "
        f"{'below' if refused else 'not below'} the threshold of {subject.threshold:.2f}, under which the network "
        "refuses to answer (the score is the log-sum-exp of the outputs before softmax: high where any class is "
        "strongly excited). "
        + ("" if refused else "So a picture that nobody would write can pass as a symbol: look at it."),
        icon=":material/block:" if refused else ":material/check:",
    )
