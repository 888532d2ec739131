"""Actions that may be refused: what a refusal says is shown in the panel that asked."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.errors import InklingError


def attempt(panel: str, action: Callable[..., Any], *arguments: Any) -> Any:
    """What the action returns; None after a refusal, whose sentence `show_problem` then shows in that panel."""
    try:
        return action(*arguments)
    except InklingError as error:
        st.session_state[f"{panel}_problem"] = str(error)
        return None


def show_problem(panel: str) -> None:
    """Shows what was refused since the last time."""
    if problem := st.session_state.pop(f"{panel}_problem", None):
        st.error(problem, icon=":material/error:")
