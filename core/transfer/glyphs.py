"""One picture of a letter → the glyph that a network gets: our way, and the classic course's, to be compared."""

import io
from collections.abc import Callable

import cv2
import numpy as np
import torch
from PIL import Image
from torchvision.transforms import functional

from core.data.folder import FADED
from core.data.normalise import FAINTEST
from core.reading.segment import segment
from core.reading.types import Segment

OURS, COURSE = "ours", "course"
PREPARATIONS = (OURS, COURSE)
SIZE = 28
COURSE_SCALE = 36 / 128  # of the classic course's example programme for its 133×133 Greek letters
STORED_PX = 320  # longest side of a picture that is kept: more than ten times the glyph's, and a small file
DRAWN_PX, DRAWN_INK_PX = 133, 88  # of a symbol cut out of a sheet: as large as the course's, whose median is 89 px
SAME = 0.95  # correlation of two glyphs' pixels: the median of such pictures reaches 0.999


def prepare(picture: np.ndarray, preparation: str = OURS) -> np.ndarray | None:
    """`(H, W, 3) or (H, W) uint8` → `(28, 28) uint8`, ink bright; None where the picture shows no symbol.

    What is a glyph already stays as it is: for ours a picture of 28×28 on black, for the course's any of 28×28.
    """
    return PREPARE[preparation](picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2))


def _ours(image: np.ndarray) -> np.ndarray | None:
    if image.shape[:2] == (SIZE, SIZE):
        grey = _grey(image)
        border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
        if np.median(border) <= FAINTEST:
            return grey if grey.max() >= FADED else None
    found = [s for s in segment(image).segments if s.reason is None]
    if not found:
        return None
    return np.rint(max(found, key=lambda s: max(s.box[2:])).glyph * 255).astype(np.uint8)


def _course(image: np.ndarray) -> np.ndarray | None:
    """The classic course's `GreekTransform`: grey, scaled about the middle by 36/128, cropped to 28×28, inverted.

    It has no notion of a picture without a symbol; ours are those on which all pixels are nearly the same.
    """
    grey = functional.rgb_to_grayscale(torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1))
    if int(grey.max()) - int(grey.min()) < FADED:
        return None
    if image.shape[:2] == (SIZE, SIZE):
        return _grey(image)
    grey = functional.affine(grey, 0, [0, 0], COURSE_SCALE, [0.0])
    return functional.invert(functional.center_crop(grey, [SIZE, SIZE]))[0].numpy()


def _grey(image: np.ndarray) -> np.ndarray:
    """Exact where the colours are grey already; torchvision's weights would make 50 of it 49."""
    return np.array(Image.fromarray(image).convert("L"))


PREPARE: dict[str, Callable[[np.ndarray], np.ndarray | None]] = {OURS: _ours, COURSE: _course}


def png_of(picture: np.ndarray) -> bytes:
    """`(H, W) or (H, W, 3) uint8` as a PNG file."""
    content = io.BytesIO()
    Image.fromarray(picture).save(content, "PNG")
    return content.getvalue()


def stored_picture(picture: np.ndarray) -> np.ndarray:
    """The picture as a letters set keeps it: made smaller where its longest side is above `STORED_PX`."""
    shrink = STORED_PX / max(picture.shape[:2])
    if shrink >= 1:
        return picture
    size_wh = (max(1, round(picture.shape[1] * shrink)), max(1, round(picture.shape[0] * shrink)))
    return np.array(Image.fromarray(picture).resize(size_wh, Image.Resampling.BOX))


def picture_of_ink(ink: np.ndarray) -> np.ndarray:
    """A symbol's ink, `(h, w) float32` in [0, 1], alone on white paper: `(133, 133) uint8`, as the course's are.

    So no neighbour on its sheet comes along, and both preparations can be compared on it.
    """
    scale = DRAWN_INK_PX / max(ink.shape)
    size_wh = (max(1, round(ink.shape[1] * scale)), max(1, round(ink.shape[0] * scale)))
    resampling = Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR
    small = np.array(Image.fromarray(ink.astype(np.float32)).resize(size_wh, resampling))
    paper = np.full((DRAWN_PX, DRAWN_PX), 255, np.uint8)
    top, left = (DRAWN_PX - size_wh[1]) // 2, (DRAWN_PX - size_wh[0]) // 2
    paper[top : top + size_wh[1], left : left + size_wh[0]] = np.rint(255 * (1 - np.clip(small, 0, 1)))
    return paper


def picture_of(found: Segment) -> np.ndarray:
    """A symbol found on a sheet as a picture of its own that gives the same glyph again, `uint8`.

    Its ink on paper; where that would be cut out otherwise than on the sheet (13 of 147 pictures by many people:
    faint or broken strokes), the glyph itself.
    """
    glyph = np.rint(found.glyph * 255).astype(np.uint8)
    if found.ink is None:
        return glyph
    picture = picture_of_ink(found.ink)
    again = prepare(picture)
    return glyph if again is None or _likeness(again, glyph) < SAME else picture


def _likeness(one: np.ndarray, other: np.ndarray) -> float:
    """The correlation of two glyphs' pixels, one of them moved by at most a pixel: the centre of mass is rounded."""
    moved = cv2.matchTemplate(cv2.copyMakeBorder(one, 1, 1, 1, 1, cv2.BORDER_CONSTANT), other, cv2.TM_CCOEFF_NORMED)
    return float(moved.max())
