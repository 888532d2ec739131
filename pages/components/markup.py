"""Text that somebody typed, shown as it is: Streamlit's texts are Markdown."""

import re


def plain(text: str) -> str:
    """The text as Markdown that shows it unchanged."""
    text = re.sub(r":(?=\w[\w+/-]*:)", ":\u2060", text)  # an icon's or emoji's name, which no backslash keeps from it
    return re.sub(r"([\\`*_{}\[\]<>$~:|#])", r"\\\1", text)
