"""Small colour pictures with a line or two under each."""

import base64
import io
from collections.abc import Sequence
from html import escape

import streamlit as st
from PIL import Image

from core.data.pictures import decode_picture
from core.errors import PictureError
from core.transfer.photo_set import Photo

SIDE_PX = 224  # longest side of a card's picture: twice its size on the page, for fine screens


@st.cache_data(max_entries=2000, show_spinner=False)
def thumbnail(name: str, content: bytes) -> str | None:
    """The picture as a small JPEG's `data:` address; None where it cannot be read."""
    try:
        image = Image.fromarray(decode_picture(content, name))
    except PictureError:
        return None
    image.thumbnail((SIDE_PX, SIDE_PX))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()


def photo_cards(cards: Sequence[tuple[Photo, str, tuple[str, ...], bool]]) -> str:
    """HTML; a card: the picture, its caption with `{}` for texts, these texts (escaped here), whether it is wrong."""
    return f'<div class="photo-cards">{"".join(_card(*card) for card in cards)}</div>'


def _card(photo: Photo, caption: str, texts: tuple[str, ...], wrong: bool) -> str:
    said = caption.format(*map(escape, texts))
    try:
        address = thumbnail(photo.name, photo.content())
    except PictureError:
        address = None
    picture = f'<img alt="{escape(photo.name)}" src="{address}">' if address else "<span>no picture</span>"
    return f'<figure class="{"wrong" if wrong else ""}">{picture}<figcaption>{said}</figcaption></figure>'
