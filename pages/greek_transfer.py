"""Greek Transfer: teach a network new letters from a handful of samples, and learn how well it really does."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import streamlit as st

from core.errors import InklingError
from pages.components.header import heading
from pages.components.transfer.desk import SECTION, Desk
from pages.components.transfer.teach_keep import use_what_was_taught

STYLE = Path(__file__).parent / "components/transfer/transfer.css"
# Each section's name, and "module:function" of what shows it: imported when it is opened, since torch comes with it.
SECTIONS = {
    "Letters": (":material/edit: Letters", "letters:letters_panel"),
    "Teach": (":material/school: Teach", "teach:teach_panel"),
    "How sure": (":material/query_stats: How sure", "honest:honest_panel"),
    "Coach": (":material/sports: Coach", "coach:coach_panel"),
    "Photos": (":material/photo: Photos", "photos:photos_panel"),
}


def main() -> None:
    use_what_was_taught()
    source = heading(
        "Greek Transfer",
        "Teach a trained network new letters from a handful of samples, and see how well it really does.",
    )
    st.html(STYLE)
    if source is None:
        return
    from pages.components.transfer.choice import choose_letters

    st.session_state.setdefault(SECTION, "Letters")
    try:
        desk = choose_letters(source)
        section = st.segmented_control(
            "Section", list(SECTIONS), required=True, format_func=lambda s: SECTIONS[s][0], wrap=True,
            key=SECTION, persist_state="session", label_visibility="collapsed",
        )  # fmt: skip
        _panel(SECTIONS[section][1])(desk)
    except InklingError as error:
        st.error(str(error), icon=":material/error:")


def _panel(address: str) -> Callable[[Desk], None]:
    module, function = address.split(":")
    return getattr(import_module(f"pages.components.transfer.{module}"), function)


main()
