"""What was read, shown: the text large, how sure, each symbol as written and as the network sees it, the steps."""

import base64
from collections import Counter
from dataclasses import dataclass
from html import escape

import cv2
import numpy as np
import streamlit as st

from core.reading import Page, Reading, Recognizer, SegmentOptions, written
from core.reading.picture import decode_picture
from core.report.figures import probability_bars
from core.report.pictures import boxes_picture
from pages.components.caches import fingerprint
from pages.components.figure import show_figure
from pages.components.keys import DRAW_READING

SHOWN_PX = 1200  # longest side of a picture as the page keeps and shows it
CUT_OUT_PX = 160
NOTHING = "–"
REASONS = {  # what a refusal's reason means, in plain words
    "too faint": "the ink hardly stands out from the paper",
    "too small": "smaller than the smallest symbol that is looked for",
    "cut off at the edge": "a part of it lies outside the picture",
    "not like any class": "unlike anything that this network has learnt",
}
READ_BARS = (
    "How likely each class is",
    "One tall bar: sure. Several: the network hesitates between them.",
)
REFUSED_BARS = (
    "Were it a symbol: how likely each class would be",
    "It was refused before the classes were compared: a tall bar only says which class it resembles most.",
)


@dataclass(frozen=True)
class Picture:
    """A picture file as it was handed in."""

    name: str
    content: bytes


@dataclass(frozen=True, eq=False)
class Read:
    """A picture with its readings, as the page keeps it."""

    picture: Picture
    image: np.ndarray  # (H, W, 3) uint8 RGB, at most SHOWN_PX long
    page: Page

    @property
    def scale(self) -> float:
        """Pixels of the picture that was read → pixels of `image`."""
        return max(self.image.shape[:2]) / max(self.page.segmentation.size_wh)

    def cut_out(self, reading: Reading) -> np.ndarray:
        """The symbol as it was written, with a little of the paper around it: `(s, s, 3) uint8`.

        What a square lacks is filled with the paper's colour, so that no neighbour comes into the picture.
        """
        x, y, w, h = (v * self.scale for v in reading.box)
        margin = 0.12 * max(w, h) + 1
        top, left = max(0, int(y - margin)), max(0, int(x - margin))
        cut = self.image[top : int(y + h + margin) + 1, left : int(x + w + margin) + 1]
        spare_h, spare_w = (max(cut.shape[:2]) - side for side in cut.shape[:2])
        borders = spare_h // 2, spare_h - spare_h // 2, spare_w // 2, spare_w - spare_w // 2
        edge = np.concatenate([cut[0], cut[-1], cut[:, 0], cut[:, -1]])
        paper = [int(level) for level in np.median(edge, axis=0)]
        return cv2.copyMakeBorder(cut, *borders, cv2.BORDER_CONSTANT, value=paper)


def read(picture: Picture, recognizer: Recognizer, keep_stages: bool = False) -> Read:
    """Reads a picture; raises `PictureError` with the sentence to show."""
    network = fingerprint(recognizer.network.passport)
    return Read(picture, *_read(picture.content, picture.name, recognizer, network, keep_stages))


@st.cache_data(max_entries=32, show_spinner=False)
def _read(
    content: bytes, name: str, _recognizer: Recognizer, network: str, keep_stages: bool
) -> tuple[np.ndarray, Page]:
    image = decode_picture(content, name)
    page = _recognizer.read(image, SegmentOptions(keep_stages=keep_stages))
    return _at_most(image, SHOWN_PX), page


def show_text(text: str) -> None:
    """The current reading's text, large; it shrinks as rows get longer."""
    longest = max(map(len, text.splitlines()), default=1)
    size_rem = max(1.75, min(6.0, 26 / longest))
    kind = "reading" if text else "reading nothing"
    with st.container(key=DRAW_READING):
        st.html(f'<div class="{kind}" style="font-size: {size_rem:.2f}rem">{escape(text) or NOTHING}</div>')


def show_how_sure(page: Page) -> None:
    """How sure the reading is, honestly: the weakest symbol is named; what was refused, with its reason."""
    if not page.readings:
        st.markdown("**Nothing to read:** no symbols were found on this picture.")
    if page.symbols:
        least = min(page.symbols, key=lambda r: r.confidence)
        st.markdown(_sureness(page, least))
    for reason, count in Counter(reading.reason for reading in page.refused).items():
        marks = "1 mark was" if count == 1 else f"{count} marks were"
        meaning = f" ({REASONS[reason]})" if reason in REASONS else ""
        st.markdown(f":material/block: {marks} refused: *{reason}*{meaning}.")


def _sureness(page: Page, least: Reading) -> str:
    share = f"{_percent(least.confidence)} sure"
    if len(page.symbols) == 1:
        return f"**{share.capitalize()}**{_rival(page, least)}"
    at_least = "" if share.startswith("over") else "at least "
    return f"{len(page.symbols)} symbols, each {at_least}**{share}**{_rival(page, least)}"


def _rival(page: Page, reading: Reading) -> str:
    """What else it may be, where that is worth a word."""
    second = int(np.argsort(reading.probabilities)[-2])
    if reading.confidence >= 0.9:
        return ""
    label, rival = written(reading.label), written(page.classes[second])
    return f"; the least sure {label} may be a {rival} ({_percent(reading.probabilities[second])})"


def _percent(share: float) -> str:
    """Never more than is known: 99.97 % is not 100 %."""
    return "over 99.9 %" if share > 0.999 else f"{100 * share:.1f} %" if share > 0.99 else f"{100 * share:.0f} %"


def show_overview(results: list[Read]) -> Read:
    """The text of each of several pictures, as a table; the one to look closely at."""
    if len(results) == 1:
        return results[0]
    names = [f"{number}. {result.picture.name}" for number, result in enumerate(results, 1)]  # files may share a name
    st.dataframe(
        {
            "picture": names,
            "text": [result.page.text.replace("\n", " / ") or NOTHING for result in results],
            "symbols": [len(result.page.symbols) for result in results],
            "refused": [len(result.page.refused) for result in results],
        },
        hide_index=True,
        column_config={"text": {"width": "medium"}, "symbols": {"width": "small"}, "refused": {"width": "small"}},
    )
    chosen = st.selectbox("Picture", range(len(results)), format_func=lambda i: names[i])
    return results[chosen]


def show_symbols(result: Read) -> None:
    """Where there are several marks, each in reading order: as written, as the network sees it, what it is read as."""
    if len(result.page.readings) < 2:
        return
    st.subheader("Every symbol", help="Left as it was written, right its glyph: cut out and brought to 28×28 pixels.")
    cards = [_card(result, reading) for reading in result.page.readings]
    st.html(f'<div class="symbols">{"".join(cards)}</div>')


def _card(result: Read, reading: Reading) -> str:
    said = (
        f"<b>?</b> {escape(reading.reason)}"
        if reading.reason
        else f"<b>{escape(written(reading.label))}</b> {_percent(reading.confidence)}"
    )
    pair = _picture(result.cut_out(reading), "as written") + _picture(_grey(reading.glyph), "its glyph", "glyph")
    kind = "symbol refused" if reading.reason else "symbol"
    return f'<figure class="{kind}"><div class="pair">{pair}</div><figcaption>{said}</figcaption></figure>'


def show_one_symbol(result: Read) -> None:
    """One mark closely: cut-out, glyph, and the probability of each class; the least sure one unless chosen."""
    readings = result.page.readings
    chosen = int(np.argmin([r.confidence for r in readings]))
    if len(readings) > 1:
        chosen = st.pills(
            "Look closely at",
            range(len(readings)),
            default=chosen,
            required=True,
            wrap=True,
            format_func=lambda i: written(readings[i].label) if readings[i].label else "?",
            help="The marks in reading order; the least sure one is chosen at first.",
        )
    reading = readings[chosen]
    st.html(
        '<div class="pair large">'
        f"<figure>{_picture(result.cut_out(reading), 'the symbol as written')}"
        "<figcaption>as written</figcaption></figure>"
        f"<figure>{_picture(_grey(reading.glyph), 'the glyph', 'glyph')}"
        "<figcaption>as the network sees it: 28×28</figcaption></figure></div>"
    )
    title, what_to_see = REFUSED_BARS if reading.reason else READ_BARS
    show_figure(probability_bars(reading.probabilities, result.page.classes, title), "draw_bars", what_to_see)


def boxed_picture(result: Read) -> np.ndarray:
    """The picture with a box around each symbol, `(H, W, 3) uint8`."""
    return boxes_picture(result.image, result.page.readings, result.scale)


def show_steps(result: Read) -> None:
    """The pictures of every step from the image to the boxes; `result` was read with its stages kept."""
    captions = {
        "grey": "Grey: colours do not matter",
        "contrast": "Contrast: ink against its own piece of paper, shadows gone",
        "threshold": "Threshold: ink or not ink",
    }
    pictures = {captions.get(name, name): stage for name, stage in result.page.segmentation.stages.items()}
    boxed = boxed_picture(result)
    with st.grid(min_column_width=230, key="draw_steps"):
        for caption, picture in {**pictures, "Boxes: one for each symbol; dashed where it was refused": boxed}.items():
            st.image(picture, caption=caption, width="stretch")


def _grey(glyph: np.ndarray) -> np.ndarray:
    return np.rint(glyph * 255).astype(np.uint8)


def _at_most(pixels: np.ndarray, longest_px: int) -> np.ndarray:
    """The picture, made smaller where its longest side is longer than that."""
    height, width = pixels.shape[:2]
    shrink = longest_px / max(height, width)
    if shrink >= 1:
        return pixels
    size_wh = max(1, round(width * shrink)), max(1, round(height * shrink))
    return cv2.resize(pixels, size_wh, interpolation=cv2.INTER_AREA)


def _picture(pixels: np.ndarray, description: str, kind: str = "") -> str:
    """An `<img>` that carries its pixels, `(h, w) or (h, w, 3) uint8`, with it."""
    pixels = _at_most(pixels, CUT_OUT_PX)
    if pixels.ndim == 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    png = cv2.imencode(".png", pixels)[1].tobytes()
    return f'<img class="{kind}" alt="{description}" src="data:image/png;base64,{base64.b64encode(png).decode()}">'
