"""Image → segments in reading order."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log10

import cv2
import numpy as np

from core.reading import ink
from core.reading.glyph import normalise
from core.reading.grouping import group
from core.reading.ink import Ink, Survey, Tone
from core.reading.lines import erase_lines
from core.reading.pieces import Piece, find_pieces
from core.reading.rows import row_of_each
from core.reading.selection import Symbol, select, writing
from core.reading.types import Box, Segment, Segmentation

METHODS = ("adaptive", "otsu", "fixed")
SMALL_PICTURE = 160  # px: smaller pictures are enlarged to this, so that strokes are more than a pixel wide
LARGEST_ENLARGEMENT = 6
MUCH_LARGER = 1.5  # times: what a tight cut-out shows with paper around it, against what is seen in it as it is
CUT_OUT_CONTRAST = 0.6  # of ink that fills its picture; blank paper's light and grain stay below
RAMP = 40  # grey levels from the threshold to full ink, for methods with one level
DECIDED = 2.0  # powers of ten between the tails of dark and light
FAR = 0.5  # a piece that reaches this far across the picture may hang on a ruled line
COLOURED = 0.002  # share of the picture in which a colour shows more contrast than grey, worth a closer look
COLOUR_GAIN = 1.4  # a colour's own channel is used when ink stands out this many times better there than in grey


@dataclass(frozen=True)
class SegmentOptions:
    """How a picture is segmented; an unknown method raises `ValueError`."""

    method: str = "adaptive"  # "adaptive" | "otsu" | "fixed"
    level: int = 128  # grey level for "fixed", 0..255
    smallest: float = 0.02  # smallest symbol: its longest side as a share of the image's shortest side
    keep_stages: bool = False
    longest_side: int = 1600  # larger images are reduced to this before anything else

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"method is {self.method!r}; it must be one of {', '.join(METHODS)}")


def segment(
    image: np.ndarray, options: SegmentOptions = SegmentOptions(), survey: Survey | None = None
) -> Segmentation:
    """All symbols of an image, `(H, W, 3)` or `(H, W)` uint8, in reading order; boxes in the image's px.

    `survey` is what is known of the picture's ink and paper already: a video's frames share it for a while.
    """
    if min(image.shape[:2]) == 0:
        return Segmentation((), (image.shape[1], image.shape[0]), True)
    found = segment_as_it_is(image, options, survey)
    if max(image.shape[:2]) < SMALL_PICTURE:
        # a small picture may be one symbol that was cut out so tightly that no paper is left around it
        with_paper = without_margin(segment_as_it_is(with_margin(image), options, None), image.shape[1::-1])
        if largest(with_paper) > MUCH_LARGER * largest(found):
            return with_paper
    return found


def largest(found: Segmentation) -> int:
    """The longest side, in px, of what can be read and stands out clearly; 0 for none."""
    clear = [s for s in found.segments if s.reason is None and s.contrast > CUT_OUT_CONTRAST]
    return max((max(s.box[2:]) for s in clear), default=0)


def segment_as_it_is(image: np.ndarray, options: SegmentOptions, survey: Survey | None) -> Segmentation:
    height, width = image.shape[:2]
    work = working_picture(image, options.longest_side)
    survey = survey or take_survey(work)
    found, tone = find_ink(work, options, survey)
    smallest = options.smallest * min(work.shape[:2])
    pieces = pieces_without_lines(found, max(3, 0.5 * smallest), options.method == "adaptive")
    chosen = select(join(writing(pieces, work.shape)), work.shape, smallest, found.floor)
    rows = row_of_each([symbol.box for symbol, _ in chosen])
    order = sorted(range(len(chosen)), key=lambda i: (rows[i], chosen[i][0].box[0]))
    scale = (width / work.shape[1], height / work.shape[0])
    segments = tuple(
        segment_of(symbol, reason, row, rescale(symbol.box, scale, (width, height)), found.contrast)
        for (symbol, reason), row in ((chosen[i], rows[i]) for i in order)
    )
    stages = stages_of(tone, found, (width, height)) if options.keep_stages else {}
    return Segmentation(segments, (width, height), found.is_dark, stages, survey)


def with_margin(image: np.ndarray) -> np.ndarray:
    """The image on a sheet of its paper: the side of Otsu's threshold that most corners are on, else most pixels."""
    margin = margin_of(image.shape[1::-1])
    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    bright = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1] > 0
    corners = bright[[0, 0, -1, -1], [0, -1, 0, -1]].mean()
    paper = image[bright if (corners, bright.mean()) >= (0.5, 0.5) else ~bright]
    tone = np.atleast_1d(np.median(paper, axis=0)).tolist()
    return cv2.copyMakeBorder(image, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=tone)


def without_margin(found: Segmentation, size_wh: tuple[int, int]) -> Segmentation:
    """What was found with a margin, in px of the image without it."""
    margin, (width, height) = margin_of(size_wh), size_wh

    def inside(box: Box) -> Box:
        left, top = min(max(box[0] - margin, 0), width - 1), min(max(box[1] - margin, 0), height - 1)
        right, bottom = box[0] + box[2] - margin, box[1] + box[3] - margin
        return left, top, max(1, min(right, width) - left), max(1, min(bottom, height) - top)

    segments = tuple(replace(s, box=inside(s.box)) for s in found.segments)
    stages = {name: step[margin:-margin, margin:-margin] for name, step in found.stages.items()}
    return replace(found, segments=segments, size_wh=size_wh, stages=stages)


def margin_of(size_wh: tuple[int, int]) -> int:
    return 2 + max(size_wh) // 4


def working_picture(image: np.ndarray, longest_side: int) -> np.ndarray:
    """The image in the size that is worked on."""
    longest = max(image.shape[:2])
    if longest < SMALL_PICTURE:
        times = min(LARGEST_ENLARGEMENT, -(-SMALL_PICTURE // longest))
        return cv2.resize(image, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC)
    times = -(-longest // longest_side)
    size = max(1, image.shape[1] // times), max(1, image.shape[0] // times)
    return image if times == 1 else cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def find_ink(work: np.ndarray, options: SegmentOptions, survey: Survey) -> tuple[Ink, np.ndarray]:
    """The picture's ink by the method asked for, and the grey tone that it was found in."""
    is_dark = survey.tone.is_dark
    tone = survey.tone.of(work)
    if options.method == "adaptive":
        contrast = ink.contrast_to_paper(tone, round(survey.window * max(work.shape)))
        return Ink(contrast, ink.noise_floor(contrast), is_dark), tone
    level = options.level if is_dark else 255 - options.level
    if options.method == "otsu":
        level = int(cv2.threshold(tone, 0, 255, cv2.THRESH_OTSU)[0])
    return Ink(ink.by_level(tone, level, RAMP), 128, is_dark), tone


def take_survey(work: np.ndarray) -> Survey:
    """The coarse pass over a picture."""
    coarse = ink.halve_to(work, ink.COARSE_SIDE)
    window = ink.wide_window(coarse)
    is_dark = is_ink_dark(coarse, window)
    grey, extreme = Tone(is_dark, False), Tone(is_dark, True)
    contrast = ink.contrast_to_paper(grey.of(coarse), window)
    gain, stroke = clarity(contrast)
    tone = grey
    if coarse.ndim == 3:
        coloured = ink.contrast_to_paper(extreme.of(coarse), window)
        if np.count_nonzero(cv2.subtract(coloured, contrast) > ink.FAINTEST) > COLOURED * contrast.size:
            coloured_gain, coloured_stroke = clarity(coloured)
            if coloured_gain > COLOUR_GAIN * gain:
                tone, stroke = extreme, coloured_stroke
    fitting = min(window, 2.5 * stroke + 4) if stroke else window
    return Survey(tone, fitting / max(coarse.shape))


def is_ink_dark(coarse: np.ndarray, window: int) -> bool:
    """Whether a coarse picture's ink is darker than its paper.

    Strong shadows over little ink leave the tones undecided; then it counts on which side there are more strokes.
    """
    darkness = ink.darkness(coarse)
    if abs(darkness) < DECIDED:
        dark, light = (clarity(ink.contrast_to_paper(Tone(d, True).of(coarse), window))[0] for d in (True, False))
        darkness += log10((dark + 1) / (light + 1))
    return darkness >= 0


def clarity(contrast: np.ndarray) -> tuple[float, float]:
    """How much ink stands out of a coarse picture's noise, and the width in px of its broadest strokes; 0 for none."""
    floor = ink.noise_floor(contrast)
    pieces = [p for p in writing(find_pieces(contrast, floor, 4), contrast.shape) if not p.is_blob]
    large = max((p.longest for p in pieces), default=0)
    typical = [p for p in pieces if p.longest > 0.4 * large]
    return sum(p.peak * p.area for p in typical) / floor, max((p.stroke for p in typical), default=0.0)


def pieces_without_lines(found: Ink, shortest: float, cut_again: bool) -> list[Piece]:
    """The pieces of a picture, freed from ruled lines where something reaches far across it."""
    pieces = find_pieces(found.contrast, found.floor, shortest, cut_again)
    height, width = found.contrast.shape
    if not any(p.box[2] > FAR * width or p.box[3] > FAR * height for p in pieces):
        return pieces
    stroke = float(np.median([p.stroke for p in pieces]))
    cleaned = erase_lines(found.contrast, found.floor, stroke)
    return pieces if cleaned is found.contrast else find_pieces(cleaned, found.floor, shortest, cut_again)


def join(pieces: Sequence[Piece]) -> list[Symbol]:
    """The symbols that the pieces make up."""
    return [Symbol(members, box_around([p.box for p in members])) for members in group(pieces)]


def box_around(boxes: Sequence[Box]) -> Box:
    left, top = min(b[0] for b in boxes), min(b[1] for b in boxes)
    return left, top, max(b[0] + b[2] for b in boxes) - left, max(b[1] + b[3] for b in boxes) - top


def segment_of(symbol: Symbol, reason: str | None, row: int, box: Box, contrast: np.ndarray) -> Segment:
    """A symbol of the working picture as others see it; `box` in px of the image that was given."""
    soft = soft_ink(symbol, contrast)
    return Segment(box, normalise(soft, symbol.stroke), row, symbol.peak / 255, reason, soft, symbol.stroke)


def soft_ink(symbol: Symbol, contrast: np.ndarray) -> np.ndarray:
    """The symbol's own ink, `(h, w) float32` in [0, 1], soft at its edges: full from three quarters of its peak up."""
    x, y, w, h = symbol.box
    inside = np.zeros((h + 2, w + 2), np.uint8)
    for piece in symbol.pieces:
        px, py, pw, ph = piece.box
        part = inside[py - y + 1 : py - y + 1 + ph, px - x + 1 : px - x + 1 + pw]
        cv2.bitwise_or(part, piece.mask, part)
    near = cv2.dilate(inside, np.ones((3, 3), np.uint8))[1:-1, 1:-1]
    levels = np.clip((np.arange(256) / max(symbol.peak, 1) - 0.25) / 0.5, 0, 1) * 255
    soft = cv2.LUT(contrast[y : y + h, x : x + w], levels.astype(np.uint8))
    return cv2.bitwise_and(soft, near).astype(np.float32) / 255


def rescale(box: Box, scale_xy: tuple[float, float], size_wh: tuple[int, int]) -> Box:
    """A box of the working picture in px of the image that was given."""
    left, top = int(box[0] * scale_xy[0]), int(box[1] * scale_xy[1])
    right = min(size_wh[0], max(left + 1, round((box[0] + box[2]) * scale_xy[0])))
    bottom = min(size_wh[1], max(top + 1, round((box[1] + box[3]) * scale_xy[1])))
    return left, top, right - left, bottom - top


def stages_of(tone: np.ndarray, found: Ink, size_wh: tuple[int, int]) -> dict[str, np.ndarray]:
    """The pictures of the steps, `(H, W) uint8` in the image's size."""
    threshold = cv2.threshold(found.contrast, found.floor - 1, 255, cv2.THRESH_BINARY)[1]
    steps = {"grey": tone, "contrast": found.contrast, "threshold": threshold}
    return {name: cv2.resize(step, size_wh, interpolation=cv2.INTER_AREA) for name, step in steps.items()}
