"""What is shown to the network: a test sample, the user's drawing, a picture or the last camera snapshot."""

import random
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from sklearn.datasets import load_sample_image

from core.errors import InklingError, PictureError
from core.inspection.specimen import Specimen
from core.inspection.strokes import strokes_within
from core.networks import TrainedNetwork
from core.reading import segment, written
from core.reading.picture import decode_picture
from core.report.sample_figures import picture_address
from pages.components.canvas import DRAWN, canvas
from pages.components.live_controls import LAST_SNAPSHOT

if TYPE_CHECKING:
    from core.data import Samples

TEST, DRAWING, UPLOAD, SNAPSHOT, PHOTO = "test", "drawing", "upload", "snapshot", "photo"
WAYS = {
    TEST: ":material/database: Test sample",
    DRAWING: ":material/draw: Drawing",
    UPLOAD: ":material/image: Picture",
    SNAPSHOT: ":material/photo_camera: Camera",
    PHOTO: ":material/photo: Sample photo",
}
OFFERED = {"glyphs": (TEST, DRAWING, UPLOAD, SNAPSHOT), "features": (TEST,), "photos": (PHOTO, UPLOAD, SNAPSHOT)}
PHOTOS = {"a flower": "flower.jpg", "a palace": "china.jpg"}  # scikit-learn's
WAY, NUMBER = "inspect_way", "inspect_test_number"


def choose_specimen(takes: str, trained: TrainedNetwork | None) -> Specimen | None:
    """Shows every way to hand something in that such a network takes; None, said on the page, before there is one."""
    ways = OFFERED[takes]
    if st.session_state.get(WAY) not in ways:
        st.session_state[WAY] = ways[0]
    way = st.segmented_control(
        "What to show it", ways, required=True, format_func=WAYS.get, wrap=True, key=WAY, persist_state="session"
    )
    try:
        if way == TEST:
            assert trained is not None
            return _test_sample(trained)
        if way == PHOTO:
            return _sample_photo()
        if way == DRAWING:
            return _drawing()
        image, name = _picture(way)
        return None if image is None else _photo(image, name) if takes == "photos" else _glyph(image, name)
    except InklingError as error:
        st.error(str(error), icon=":material/error:")
        return None


def _test_sample(trained: TrainedNetwork) -> Specimen:
    from pages.components.train.tested import samples_of

    samples = samples_of(trained)
    number = st.session_state.setdefault(NUMBER, 1)
    st.session_state[NUMBER] = min(number, len(samples))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        number = st.number_input(
            f"Number, 1 to {len(samples):,}", 1, len(samples), key=NUMBER, persist_state="session", width=180
        )
        st.button("Any other", icon=":material/casino:", key="inspect_any", on_click=_any, args=(len(samples),))
        st.button(
            "A mistake", icon=":material/close:", key="inspect_mistake", on_click=_mistake, args=(trained.name,),
            help="A test sample that this network gets wrong; another one each time. All of them: Train, Results.",
        )  # fmt: skip
    return test_specimen(samples, number - 1)


def test_specimen(samples: "Samples", index: int) -> Specimen:
    label = samples.classes[int(samples.labels[index])]
    name = f"test sample {index + 1}"
    if samples.is_table:
        return Specimen("features", name, samples.inputs[index].numpy(), label)
    return Specimen("glyphs", name, samples.images[index].numpy().astype(np.float32) / 255, label)


def _any(count: int) -> None:
    st.session_state[NUMBER] = random.randint(1, count)


def _mistake(name: str) -> None:
    from pages.components.train.tested import test_of

    tested = test_of(name)
    wrong = np.flatnonzero(~tested.result.right) if tested else np.array([], int)
    if len(wrong):
        st.session_state[NUMBER] = int(random.choice(wrong)) + 1


def _drawing() -> Specimen | None:
    png = canvas(on_change=lambda: None)
    if png is None:
        st.caption("Draw a symbol; it is the same sheet as on the Draw page.")
        return None
    return _glyph(_decoded(png, "The drawing"), "your drawing", tuple(st.session_state[DRAWN]["strokes"]))


def _picture(way: str) -> tuple[np.ndarray | None, str]:
    """`(H, W, 3) uint8` RGB."""
    if way == UPLOAD:
        file = st.file_uploader("A picture: PNG, JPEG, WebP, BMP or GIF", key="inspect_upload")
        return (None, "") if file is None else (_decoded(file.getvalue(), file.name), "your picture")
    file = st.camera_input("Take a snapshot", key="inspect_snapshot")
    if file is not None:
        return _decoded(file.getvalue(), "The snapshot"), "the snapshot"
    last = st.session_state.get(LAST_SNAPSHOT)
    st.caption(
        "Shown: the last snapshot of the Live Camera page." if last is not None else "Or take one on Live Camera."
    )
    return last, "the last snapshot"


@st.cache_data(max_entries=16, show_spinner=False)
def _decoded(content: bytes, name: str) -> np.ndarray:
    return decode_picture(content, name)


def _glyph(image: np.ndarray, name: str, strokes: tuple[dict, ...] = ()) -> Specimen:
    """The picture's symbol, or the one that is chosen of several; raises `PictureError` where there is none."""
    symbols = [s for s in segment(image).segments if s.reason is None]
    found = [s.glyph for s in symbols]
    if not found:
        raise PictureError("No symbol was found on the picture; write one large and dark on empty paper.")
    largest = int(np.argmax([glyph.sum() for glyph in found]))
    chosen = largest
    if len(found) > 1:
        pictures = "".join(
            f'<img alt="symbol {i + 1}" src="{picture_address(g * 255, 2)}">' for i, g in enumerate(found)
        )
        st.html(f'<div class="inspect-found">{pictures}</div>')
        chosen = st.pills(
            "Symbol", range(len(found)), default=largest, required=True, wrap=True,
            format_func=lambda i: str(i + 1), key=f"inspect_symbol_{len(found)}",
        )  # fmt: skip
        strokes = strokes_within(strokes, [s.box for s in symbols], chosen)
    return Specimen("glyphs", name, found[chosen], strokes=strokes)


def _photo(image: np.ndarray, name: str) -> Specimen:
    return Specimen("photos", name, image)


def _sample_photo() -> Specimen:
    name = st.pills("Photo", list(PHOTOS), default="a flower", required=True, key="inspect_photo")
    return _photo(load_sample_image(PHOTOS[name]), name)


def show_specimen(specimen: Specimen) -> None:
    """The specimen as the network gets it, with what it truly is."""
    truth = f", truly {written(specimen.label)}" if specimen.label else ""
    if specimen.kind == "glyphs":
        address = picture_address(specimen.pixels * 255)
        st.html(
            f'<figure class="inspect-specimen"><img alt="{specimen.name}" src="{address}">'
            f"<figcaption>{specimen.name}{truth}</figcaption></figure>"
        )
    elif specimen.kind == "photos":
        st.image(specimen.pixels, caption=specimen.name, width=260)
    else:
        st.caption(f"{specimen.name}{truth}")
