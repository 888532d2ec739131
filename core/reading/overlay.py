"""What is drawn over the frames of a video: boxes, labels, confidences, and the other stages of the reading."""

import unicodedata
from typing import TYPE_CHECKING

import cv2
import numpy as np

from core.reading.tracks import TrackedSymbol
from core.reading.types import Box, Page, written

if TYPE_CHECKING:
    from core.reading.live import LiveReading

READ = (15, 118, 110)  # RGB, teal: sure
WEAK = (180, 83, 9)  # amber: read, but another class is near
REFUSED = (120, 130, 140)  # grey, thin, without a label
WHITE = (255, 255, 255)
SURE = 0.8  # confidence from which a symbol is drawn as sure; its number says it as well
GLYPH_GAP_PX = 8
LONGEST = 24  # characters of a label
WEIGHT = 600  # of the letters: half-bold
FACE = cv2.FontFace("sans")  # OpenCV's embedded font; it has Greek letters, the older Hershey fonts have none


def draw_stage(frame_rgb: np.ndarray, reading: "LiveReading", page: Page, stage: str, mirror: bool) -> np.ndarray:
    """The picture to show for a stage, `(H, W, 3) uint8` RGB of the frame's size; the frame itself is not changed."""
    if stage == "glyphs":
        return _glyph_sheet(frame_rgb.shape, reading)
    if stage == "threshold":
        picture = _threshold(frame_rgb, page)
    elif stage == "boxes":
        picture = cv2.addWeighted(frame_rgb, 0.4, np.full_like(frame_rgb, 255), 0.6, 0)
    else:
        picture = frame_rgb.copy()
    if mirror:
        picture = np.ascontiguousarray(picture[:, ::-1])  # before the labels, which must stay legible
    width = picture.shape[1]
    if stage == "boxes":  # what this one frame's segmentation found, before the tracks
        for found in page.readings:
            cv2.rectangle(picture, *_corners(found.box, width, mirror), REFUSED if found.reason else READ, 1)
        return picture
    for symbol in reading.refused:
        cv2.rectangle(picture, *_corners(symbol.box, width, mirror), REFUSED, 1)
    for symbol in reading.symbols:
        _draw_symbol(picture, symbol, *_corners(symbol.box, width, mirror))
    return picture


def said(symbol: TrackedSymbol) -> str:
    """Sign and confidence, as in `7 98%`; never 100 %, which nobody can know."""
    return f"{_drawable(written(symbol.label or ''))} {min(99, round(100 * symbol.confidence))}%"


def _drawable(text: str) -> str:
    """What OpenCV's font can draw: a pictogram by its name (❤: heavy black heart), and not too much of it."""
    names = (unicodedata.name(c, "?").lower() if unicodedata.category(c) == "So" else c for c in text)
    plain = "".join(name for name in names if unicodedata.category(name[0]) != "Mn")
    return plain if len(plain) <= LONGEST else plain[: LONGEST - 1] + "…"


def _corners(box: Box, width: int, mirror: bool) -> tuple[tuple[int, int], tuple[int, int]]:
    x, y, w, h = box
    left = width - x - w if mirror else x
    return (left - 3, y - 3), (left + w + 2, y + h + 2)


def _draw_symbol(
    picture: np.ndarray, symbol: TrackedSymbol, top_left: tuple[int, int], bottom_right: tuple[int, int]
) -> None:
    """Box and, above it, the label on a coloured plate; both thinner while the symbol is only held."""
    colour = READ if symbol.confidence >= SURE else WEAK
    cv2.rectangle(picture, top_left, bottom_right, colour, 2 if symbol.visible else 1)
    size = max(14, picture.shape[0] // 24)
    text = said(symbol)
    width = cv2.getTextSize(picture.shape[1::-1], text, (0, 0), FACE, size, WEIGHT)[2] + 8
    x = min(max(0, top_left[0]), max(0, picture.shape[1] - width))
    y = top_left[1] - 4 if top_left[1] > 1.4 * size else bottom_right[1] + int(1.2 * size)
    cv2.rectangle(picture, (x, y - size), (x + width, y + 4), colour, -1)
    cv2.putText(picture, text, (x + 4, y - 2), WHITE, FACE, size, WEIGHT)


def _threshold(frame_rgb: np.ndarray, page: Page) -> np.ndarray:
    mask = page.segmentation.stages.get("threshold")
    if mask is None:  # settings changed between the frame's reading and its drawing
        return frame_rgb.copy()
    size_wh = (frame_rgb.shape[1], frame_rgb.shape[0])
    return cv2.cvtColor(cv2.resize(mask, size_wh, interpolation=cv2.INTER_NEAREST), cv2.COLOR_GRAY2RGB)


def _glyph_sheet(shape: tuple[int, ...], reading: "LiveReading") -> np.ndarray:
    """The glyphs as the network sees them, in reading order, each over its label and confidence."""
    height, width = shape[:2]
    sheet = np.full((height, width, 3), 24, np.uint8)
    if not reading.symbols:
        return sheet
    columns = max(1, min(len(reading.symbols), width // 96))
    side = min(width // columns - GLYPH_GAP_PX, height // 2)
    if side < 2:
        return sheet
    row_height = side + 36
    for index, symbol in enumerate(reading.symbols[: columns * max(1, height // row_height)]):
        x = (index % columns) * (side + GLYPH_GAP_PX) + GLYPH_GAP_PX // 2
        y = (index // columns) * row_height
        glyph = cv2.resize((symbol.glyph * 255).astype(np.uint8), (side, side), interpolation=cv2.INTER_NEAREST)
        sheet[y : y + side, x : x + side] = glyph[: height - y, : width - x, None]
        cv2.putText(sheet, said(symbol), (x + 4, y + side + 24), WHITE, FACE, 18, WEIGHT)
    return sheet
