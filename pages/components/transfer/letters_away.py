"""Letters to take away: the course's two CSV files, and a ZIP."""

import re

import streamlit as st

from core.transfer.letters_files import write_csv, write_zip
from core.transfer.letters_set import LettersSet
from core.transfer.preparation import COURSE, OURS, letters_of
from pages.components.transfer.desk import Desk
from pages.components.transfer.letters_edit import EXAMPLE, telling

NAMES = {OURS: "Inkling's", COURSE: "the course's"}


@st.fragment
def take_away(desk: Desk) -> None:
    with st.expander("Take the letters away", icon=":material/download:", on_change="rerun") as expander:
        if expander.open and desk.letters.letters:
            with telling():
                _take_away(desk.letters)


def _take_away(letters: LettersSet) -> None:
    stem = re.sub(r"[^\w-]+", "-", letters.name.removeprefix(EXAMPLE)).strip("-") or "letters"
    st.markdown("**A ZIP** with a folder of PNG files for each letter; Train, this page and the command line take it.")
    st.download_button(
        "Pictures (ZIP)", lambda: write_zip(letters), f"{stem}.zip", "application/zip", key="letters_zip",
        icon=":material/folder_zip:", on_click="ignore",
    )  # fmt: skip
    st.markdown("**The course's two CSV files**: 784 intensities a row, from 0 to 255, ink bright; and the categories.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        preparation = st.segmented_control(
            "Preparation", list(NAMES), default=OURS, required=True, format_func=NAMES.get, key="letters_csv_prepared"
        )
        numbers = st.segmented_control(
            "Categories", ["names", "numbers"], default="names", required=True, key="letters_csv_numbers",
            help="Numbers begin at 0, in the order of the letters above.",
        )  # fmt: skip
    prepared = letters_of(letters, preparation)
    with st.container(horizontal=True):
        for part, name in enumerate(("intensities", "categories")):
            st.download_button(
                f"{name.capitalize()} (CSV)",
                lambda part=part: write_csv(letters, preparation, numbers == "numbers")[part].encode(),
                f"{stem}-{name}.csv", "text/csv", key=f"letters_csv_{name}", icon=":material/table:", on_click="ignore",
            )  # fmt: skip
    left_out = f" {len(prepared.lost)} pictures without a symbol are left out." if prepared.lost else ""
    st.caption(f"{len(prepared.samples)} rows and a header.{left_out}")
