"""Experiments: ask a question of the design, run it anywhere, and believe the answer."""

import streamlit as st

from core.errors import InklingError
from pages.components.experiments.place import choose_place, open_storage, storage_is_away
from pages.components.header import heading


def main() -> None:
    heading("Experiments", "Ask a question of a network's design, let it be tried, and see what the answer is worth.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        choice = st.container()  # of the study, from the storage that is chosen beside it
        place = choose_place()
    storage = open_storage(place)
    if storage is None:
        return
    from pages.components.experiments.choice import NEW, choose_study

    try:
        names = storage.names()
    except InklingError as error:
        storage_is_away(str(error))
        return
    with choice:
        name = choose_study(names)
    if name == NEW:
        from pages.components.experiments.new import new_study

        new_study(names, place)
    else:
        from pages.components.experiments.begun import begun_study

        begun_study(name, names, storage, place)


main()
