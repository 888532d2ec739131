"""The widgets of a dimension's values: words and yes or no are pressed, numbers are typed, ranges have two ends."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.experiments import CLASSICS
from core.experiments.dimensions import DIMENSIONS, Dimension
from core.experiments.study import text_of
from core.networks import list_readers
from core.networks.spec import ACTIVATIONS, ARCHITECTURES, FIRST_LAYERS, POOL_PLACES
from core.training.config import AUGMENTATIONS, LOSSES, OPTIMIZERS, SCHEDULES
from core.transfer import METHODS
from pages.components.experiments.draft import has_lists, key_of, number_of, value_of_text, values_of_text, values_text

WORDS = {  # all that a dimension of words may be
    "activation": ACTIVATIONS, "pool_place": POOL_PLACES, "first_layer": FIRST_LAYERS, "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES, "loss": LOSSES, "augmentation": AUGMENTATIONS, "network": (*ARCHITECTURES, *CLASSICS),
    "method": METHODS,
}  # fmt: skip
DRAWING = ("random", "tpe")  # the strategies that a range is for


def options_of(dimension: Dimension, given: list[Any]) -> list[Any]:
    known = (False, True) if dimension.kind is bool else WORDS.get(dimension.name, dimension.values)
    if dimension.name == "source":
        known = tuple(passport.name for passport in list_readers())
    return list(dict.fromkeys([*known, *given]))


def is_pressed(dimension: Dimension) -> bool:
    """Whether its values are buttons: words that are known."""
    return dimension.kind in (str, bool) and not has_lists(dimension.name)


def title_of(dimension: Dimension) -> str:
    return f"{dimension.label} ({dimension.unit})" if dimension.unit else dimension.label


def values_field(name: str, values: Any, strategy: str) -> Any:
    """A dimension's values to try: a list, or a range as a table with `low` and `high`."""
    dimension = DIMENSIONS[name]
    if is_pressed(dimension):
        given = values if isinstance(values, list) else []
        return st.pills(
            title_of(dimension), options_of(dimension, given), selection_mode="multi", format_func=text_of,
            default=given, key=key_of(f"values_{name}"), help=dimension.about, wrap=True,
        )  # fmt: skip
    is_range = isinstance(values, dict)
    if dimension.kind in (int, float) and (is_range or strategy in DRAWING):
        is_range = st.toggle(
            f"{dimension.label}: a range", is_range, key=key_of(f"range_{name}"),
            help="On: any number from the lowest to the highest. Off: the numbers that you list.",
        )  # fmt: skip
    return _range(dimension, values) if is_range else _list(dimension, values)


def _list(dimension: Dimension, values: Any) -> list[Any]:
    given = values if isinstance(values, list) else list(dimension.values)
    several = "Semicolons between the values, since each may be a list: 16; 16, 32."
    text = st.text_input(
        title_of(dimension), values_text(dimension.name, given), key=key_of(f"values_{dimension.name}"),
        help=f"{dimension.about} " + (several if has_lists(dimension.name) else "Commas between the values."),
    )  # fmt: skip
    return values_of_text(dimension.name, text)


def _range(dimension: Dimension, values: Any) -> dict[str, Any]:
    numbers = [value for value in values if isinstance(value, int | float)] if isinstance(values, list) else []
    numbers = numbers or list(dimension.values)
    given = values if isinstance(values, dict) else {"low": min(numbers), "high": max(numbers)}
    kind = int if dimension.kind is int else float
    with st.container(horizontal=True, vertical_alignment="bottom"):
        ends = {
            end: st.text_input(
                f"{dimension.label}, {title}", _number_text(given.get(end, "")), key=key_of(f"{end}_{dimension.name}"),
                help=dimension.about, width=170,
            )
            for end, title in (("low", "lowest"), ("high", "highest"))
        }  # fmt: skip
        log = st.checkbox(
            "By logarithm", given.get("log") is True, key=key_of(f"log_{dimension.name}"),
            help="0.001 to 0.01 is then tried as often as 0.01 to 0.1.",
        )  # fmt: skip
    return {end: number_of(text.strip(), kind) for end, text in ends.items()} | ({"log": True} if log else {})


def setting_field(name: str, value: Any) -> Any:
    """One value that is held fixed."""
    dimension = DIMENSIONS[name]
    if is_pressed(dimension):
        return choice(
            title_of(dimension), options_of(dimension, [value]), value, f"setting_{name}", format_func=text_of,
            help=dimension.about,
        )  # fmt: skip
    text = st.text_input(
        title_of(dimension), values_text(name, [value]), key=key_of(f"setting_{name}"), help=dimension.about
    )
    if dimension.kind in (int, float) and "," in text:
        st.caption(f"To try several values, choose {dimension.label} under “Add a dimension”.")
    return value_of_text(name, text)


def choice(label: str, options: Sequence[Any], given: Any, field: str, **more: Any) -> Any:
    """A select box that begins with what is given, which is offered too where it is no option."""
    offered = list(dict.fromkeys([*options, given]))
    return st.selectbox(label, offered, offered.index(given), key=key_of(field), **more)


def _number_text(value: Any) -> str:
    return f"{value:.12g}" if isinstance(value, float) else str(value)
