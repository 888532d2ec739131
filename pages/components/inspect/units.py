"""Units: what a unit wants, shown by the samples that excite it most and by a picture that was made for it."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st
import torch

from core.inspection.receptive import Box
from core.inspection.rows import feature_texts
from core.inspection.units import SAMPLES, TOP, Excitement, excite, seen_box, strongest_places
from core.reading import written
from core.report.attribution_figures import picture_png
from core.report.unit_figures import excited_samples, mean_row
from pages.components.figure import show_figure
from pages.components.inspect.units_ideal import ideal_panel
from pages.components.inspect.units_question import Unit, choose_unit
from pages.components.inspect.view import View
from pages.components.kept import kept
from pages.components.screen import is_narrow
from pages.components.train.tested import samples_of, with_progress

if TYPE_CHECKING:
    from core.data import Samples

STYLE = Path(__file__).parent / "units.css"


def units_panel(view: View) -> None:
    st.html(STYLE)
    _units(view)


@st.fragment
def _units(view: View) -> None:
    unit, narrow = choose_unit(view), is_narrow()
    if view.trained is None:
        _patches(unit)
        ideal_panel(unit, None)
        return
    samples = samples_of(view.trained)
    excitement = _excitement(view, samples)[unit.layer.name]
    st.subheader(f"What excites {unit.name} most")
    if excitement.never_active(unit.number):
        st.warning(
            f"None of the first {min(SAMPLES, len(samples)):,} test samples makes this unit active: it is dead, and "
            "nothing can be said about what it wants.",
            icon=":material/power_off:",
        )
        return
    if samples.is_table:
        _rows(unit, samples, excitement)
        st.info("An ideal picture does not apply: rows of a table have none.", icon=":material/info:")
        return
    _glyphs(unit, samples, excitement, narrow)
    strongest = samples.images[int(excitement.samples[0, unit.number])].numpy()
    ideal_panel(unit, (float(excitement.values[0, unit.number]), strongest))


def _excitement(view: View, samples: "Samples") -> dict[str, Excitement]:
    """Of all layers' units, found in one go over the test samples and kept."""
    inputs = samples.inputs[:SAMPLES]

    def look() -> dict[str, Excitement]:
        text = f"{len(inputs):,} test samples go through all layers …"
        return with_progress(text, lambda tell: excite(view.subject, inputs, tell))

    return kept(("excitement", view.key, samples.sha256), look)


def _glyphs(unit: Unit, samples: "Samples", found: Excitement, narrow: bool) -> None:
    number, order = unit.number, found.samples[:, unit.number]
    glyphs = samples.images[torch.from_numpy(order)].numpy()
    shape = glyphs.shape[1:]
    boxes = [seen_box(unit.layer, unit.field, place, shape) for place in found.places[:, number]]
    labels = [written(samples.classes[int(label)]) for label in samples.labels[torch.from_numpy(order)]]
    captions = [
        f"{label}: {value:.2f}".replace("-", "−") for label, value in zip(labels, found.values[:, number], strict=True)
    ]
    title = f"The {len(order)} test samples that excite it most"
    show_figure(
        excited_samples(glyphs, boxes, captions, 4 if narrow else TOP, title), "inspect_units_samples",
        f"Over each sample: what it truly is, and the unit's output. {_about_field(unit)} Sought among the first "
        f"{min(SAMPLES, len(samples)):,} test samples; {found.active[number] * 100:.0f} % of them make the unit active "
        "(output above 0) somewhere.",
    )  # fmt: skip
    st.html(
        '<div class="inspect-units">'
        + _tile(glyphs.astype(float).mean(0) / 255, f"The mean of these {len(order)}")
        + (_tile(_mean_seen(glyphs, boxes), "The mean of what the unit saw") if unit.field else "")
        + "</div>"
    )
    st.caption("Bright is what they have in common.")


def _about_field(unit: Unit) -> str:
    if unit.field is None:
        return "The unit may see the whole sample, so nothing is framed."
    height, width = unit.field.size
    return (
        f"Framed: the {height}×{width} pixels that the unit sees at the place where it is most excited "
        "(its receptive field; less at the edge)."
    )


def _mean_seen(glyphs: np.ndarray, boxes: list[Box | None]) -> np.ndarray:
    """The mean of the framed parts, `(h, w)` in [0, 1]; those cut off at the edge count only where all are."""
    parts = [glyph[b[0] : b[2], b[1] : b[3]] for glyph, b in zip(glyphs, boxes, strict=True) if b]
    largest = max((part.shape for part in parts), key=lambda shape: shape[0] * shape[1])
    return np.mean([part for part in parts if part.shape == largest], axis=0) / 255


def _rows(unit: Unit, samples: "Samples", found: Excitement) -> None:
    """The strongest rows in the table's own words, and what they have in common."""
    assert unit.view.trained is not None
    number = unit.number
    rows = samples.inputs[torch.from_numpy(found.samples[:, number])].numpy()
    labels = samples.labels[torch.from_numpy(found.samples[:, number])].tolist()
    title = f"The {len(rows)} test rows that excite it most, on average"
    show_figure(
        mean_row(samples.columns, rows.mean(0), title), "inspect_units_mean",
        "Long bars: in this the rows differ from all others. Short ones: the unit does not ask for it.",
    )  # fmt: skip
    texts = [feature_texts(unit.view.trained.passport.preprocessing, row) for row in rows]
    table = pd.DataFrame(
        [dict(text.split(" = ", 1) for text in row) for row in texts],
        index=pd.Index(found.samples[:, number] + 1, name="test row"),
    )
    table.insert(0, "output", found.values[:, number].round(3))
    table.insert(1, "truly", [samples.classes[label] for label in labels])
    st.dataframe(table, width="stretch", key="inspect_units_rows")


def _patches(unit: Unit) -> None:
    """Of a photo network, for which there is no data set here: the places of the own photo that excite it most."""
    view = unit.view
    st.subheader(f"What excites {unit.name} most")
    if view.specimen is None:
        st.info("Choose a photo above: its patches that excite the unit most are shown.", icon=":material/image:")
        return
    inputs = view.subject.inputs(view.specimen)
    found = strongest_places(view.subject, inputs, unit.layer, unit.number, unit.field, TOP)
    picture = view.subject.seen(inputs)
    if found[0][1] is None:
        st.markdown(f"On {view.specimen.name} its largest output is **{found[0][0]:.3f}**.")
        st.caption("The unit may see the whole photo, so there is no patch to show.")
        return
    tiles = [_tile(picture[b[0] : b[2], b[1] : b[3]], f"{value:.2f}".replace("-", "−")) for value, b in found if b]
    st.html(f'<div class="inspect-units">{"".join(tiles)}</div>')
    height, width = unit.field.size if unit.field else picture.shape[:2]
    which = (
        f"Patches of {view.specimen.name}, the most exciting first, with the unit's output. Each is what the unit sees"
    )
    if len(tiles) == 1:
        which = f"The patch of {view.specimen.name} that excites it most, with the unit's output. It is what it sees"
    st.caption(
        f"{which} at one place, {height}×{width} pixels (its receptive field; less at the edge). There is no data set "
        "for photos here, so only your own photo is searched."
    )


def _tile(picture: np.ndarray, caption: str) -> str:
    return f'<figure><img alt="{caption}" src="{picture_png(picture)}"><figcaption>{caption}</figcaption></figure>'
