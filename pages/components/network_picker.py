"""The choice of network: the same widget on every page, remembered from page to page."""

import streamlit as st

from core.networks import Passport, list_networks, list_readers
from pages.components.keys import NETWORK_PICKER

HELP = "The trained network that reads. Its accuracy is the share of unseen test pictures it names correctly."


def network_picker(tables: bool = False) -> str | None:
    """The name of the network in use; None, with what to do about it, when there is none at all.

    `tables`: networks that know tables may be chosen too, not only those that read glyphs.
    """
    passports = {passport.name: passport for passport in (list_networks() if tables else list_readers())}
    if not passports:
        st.warning("There is no trained network yet: train one with `make networks`.", icon=":material/info:")
        return None
    return st.selectbox(
        "Network",
        list(passports),
        format_func=lambda name: _described(passports[name]),
        key=NETWORK_PICKER,
        help=HELP,
        persist_state="session",
    )


def _described(passport: Passport) -> str:
    accuracy = passport.metrics.get("test_accuracy")
    return f"{passport.name} · {accuracy:.2%}" if isinstance(accuracy, float) else passport.name
