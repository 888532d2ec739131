"""Which unit of which layer is looked at in the section "Units"."""

from dataclasses import dataclass

import streamlit as st

from core.inspection.receptive import Field, fields
from core.inspection.subject import Layer
from core.inspection.units import unit_count, unit_layers, unit_names
from core.reading import written
from pages.components.inspect.view import View
from pages.components.kept import kept


@dataclass(frozen=True, eq=False)
class Unit:
    """One channel, node or number of a layer."""

    view: View
    layer: Layer
    number: int  # from 0
    field: Field | None  # what its places see of the input; None for all of it
    label: str | None  # the class that it stands for, where the layer is the output

    @property
    def name(self) -> str:
        if self.label is not None:
            return f"class {written(self.label)}"
        kind = {3: "channel", 2: "number"}.get(len(self.layer.shape), "node")
        return f"{kind} {self.number + 1} of {self.layer.label}"


def choose_unit(view: View) -> Unit:
    """The widgets for layer and unit."""
    layers = unit_layers(view.subject)
    clicked = next((i for i, layer in enumerate(layers) if layer.name == view.layer), None)
    left, right = st.columns(2)
    with left:
        position = st.selectbox(
            "Layer", range(len(layers)), len(layers) - 1 if clicked is None else clicked,
            format_func=lambda i: layers[i].title, key=f"inspect_units_layer_{view.subject.name}_{clicked}",
            help="Early layers want strokes and edges, late ones whole symbols; the last one's units are the classes.",
        )  # fmt: skip
    layer = layers[position]
    names, count = unit_names(view.subject, layer), unit_count(layer)
    key = f"inspect_units_unit_{view.subject.name}_{layer.name}"
    with right:
        if names is not None:
            number = st.selectbox("Class", range(count), format_func=lambda i: written(names[i]), key=key)
        elif count == 1:
            number = 0
            st.caption("This layer has a single unit.")
        else:
            number = st.number_input(f"Unit, 1 to {count:,}", 1, count, key=key) - 1
    known = kept(("fields", view.key), lambda: fields(view.subject))
    field = known[layer.name] if len(layer.shape) == 3 else None
    return Unit(view, layer, int(number), field, names[number] if names else None)
