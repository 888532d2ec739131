"""Text that somebody typed, shown as it is: Streamlit's texts are Markdown."""

import re


def plain(text: str) -> str:
    """The text as Markdown that shows it unchanged."""
    return re.sub(r"([\\`*_{}\[\]<>$~:|#])", r"\\\1", text)
