"""Experiments: ask a question of the design, run it anywhere, and believe the answer."""

from typing import TYPE_CHECKING

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.errors import InklingError
from pages.components.experiments.place import Place, choose_place, open_storage, storage_is_away
from pages.components.header import heading

if TYPE_CHECKING:  # Optuna comes with it, and takes half a second
    from core.experiments.storage import Storage


def main() -> None:
    heading("Experiments", "Ask a question of a network's design, let it be tried, and see what the answer is worth.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        choice = st.container()  # of the study, from the storage that is chosen beside it
        place = choose_place()
    storage = open_storage(place)
    if storage is None:
        return
    try:
        show(storage, choice, place)
    except InklingError as error:  # the storage went away meanwhile
        storage_is_away(str(error))


def show(storage: "Storage", choice: DeltaGenerator, place: Place) -> None:
    """The chosen study, or a new one."""
    from pages.components.experiments.choice import NEW, choose_study

    names = storage.names()
    with choice:
        name = choose_study(names)
    if name == NEW:
        from pages.components.experiments.new import new_study

        new_study(names, place)
    else:
        from pages.components.experiments.begun import begun_study

        begun_study(name, names, storage, place)


main()
