"""Ruled and squared paper: lines as strong as the ink are taken out, strokes that cross them stay whole.

The way of staff-line removal in music reading: a line is traced across the picture, and its ink is erased in the
columns in which nothing but the line is found there (Dalitz et al. 2008, "A comparative study of staff removal").
"""

import cv2
import numpy as np

RUN = 1 / 14  # shortest run of a line's ink, as a share of the picture's side
EXTENT = 0.8  # a line reaches this far across the picture, with gaps
THICKEST = 1 / 40  # share of the picture's shortest side
CURVE = 2  # degree of the curve that a photographed line follows


def erase_lines(contrast: np.ndarray, floor: int, stroke: float) -> np.ndarray:
    """The contrast without the lines across and down the picture; `stroke` is the ink's width in px.

    A single line as broad as the ink may be a stroke of a symbol that fills the picture: it stays.
    """
    across = erase_across(contrast, floor, stroke)
    upright = np.ascontiguousarray(across.T)
    down = erase_across(upright, floor, stroke)
    return across if down is upright else np.ascontiguousarray(down.T)


def erase_across(contrast: np.ndarray, floor: int, stroke: float) -> np.ndarray:
    """The contrast without the lines from left to right; the very same array when there are none."""
    mask = cv2.threshold(contrast, floor - 1, 255, cv2.THRESH_BINARY)[1]
    traces = [trace(line) for line in find_lines(mask)]
    traces = [(rows, thick) for rows, thick in traces if thick < max(3, THICKEST * min(mask.shape))]
    if len(traces) < 2:
        traces = [(rows, thick) for rows, thick in traces if thick < 0.6 * stroke]
    cleaned = contrast.copy() if traces else contrast
    for rows, thick in traces:
        erase(cleaned, mask, rows, thick)
    return cleaned


def find_lines(mask: np.ndarray) -> list[np.ndarray]:
    """The px `(n, 2)`, as (row, column), of each line across a mask."""
    width = mask.shape[1]
    run = max(9, int(RUN * width))
    runs = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((1, run), np.uint8))
    linked = cv2.dilate(runs, np.ones((3, run), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(linked)
    long = [i for i in range(1, count) if stats[i, cv2.CC_STAT_WIDTH] > EXTENT * width]
    return [np.argwhere((labels == i) & (runs > 0)) for i in long]


def trace(line: np.ndarray) -> tuple[np.ndarray, int]:
    """The curve through a line, as its coefficients over the column, and the line's thickness in px."""
    columns, counts = np.unique(line[:, 1], return_counts=True)
    thick = int(np.median(counts))
    thin = np.isin(line[:, 1], columns[counts <= 1.5 * thick])
    curve = np.polyfit(line[thin, 1], line[thin, 0], CURVE)
    near = np.abs(np.polyval(curve, line[:, 1]) - line[:, 0]) < 2 * thick + 2
    return np.polyfit(line[near, 1], line[near, 0], CURVE), thick


def erase(contrast: np.ndarray, mask: np.ndarray, curve: np.ndarray, thick: int) -> None:
    """Blanks a line in the columns in which it is all that is there."""
    reach = thick + 1
    columns = np.arange(mask.shape[1])
    rows = np.rint(np.polyval(curve, columns)).astype(int)
    band = np.clip(rows[None] + np.arange(-reach, reach + 1)[:, None], 0, mask.shape[0] - 1)
    empty = mask[band, columns] == 0
    alone = empty[: reach + 1].any(0) & empty[reach:].any(0)
    contrast[band[:, alone], columns[alone]] = 0
