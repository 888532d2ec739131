"""Sheets of handwriting, drawn from strokes: the sample pictures that ship (`python -m core.data.sheets`)."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from core.data.strokes import write
from core.paths import ASSETS

SUPERSAMPLING = 2  # drawn at twice its size and averaged, as a lens does


@dataclass(frozen=True)
class Sheet:
    """What stands on a sheet, and what the sheet is like; tones are grey levels, 0 is black."""

    rows: tuple[str, ...]
    seed: int
    paper: int = 232
    ink: int = 45
    squares_px: int = 0  # 0 is plain
    light: float = 0.6  # the darkest corner's share of the light; 1 is even
    tint: tuple[float, float, float] = (1.0, 0.985, 0.955)  # RGB: warm lamp light
    size_wh: tuple[int, int] = (640, 420)


SAMPLES = {
    "a-number": Sheet(("2026",), seed=7, light=0.75),
    "squared-paper": Sheet(("3141", "5926"), seed=11, squares_px=26, ink=70, tint=(1.0, 0.99, 0.97)),
    "a-blackboard": Sheet(("805", "173"), seed=21, paper=52, ink=225, light=0.8, tint=(0.92, 1.0, 0.95)),
}


def draw_sheet(sheet: Sheet) -> np.ndarray:
    """The sheet as a camera sees it, `(H, W, 3) uint8` RGB; the same sheet is always drawn the same."""
    rng = np.random.default_rng(sheet.seed)
    width, height = (side * SUPERSAMPLING for side in sheet.size_wh)
    grain = cv2.resize(rng.normal(0, 3, (height // 20, width // 20)).astype(np.float32), (width, height))
    paper = np.full((height, width), sheet.paper, np.float32) + grain
    if sheet.squares_px:
        step = sheet.squares_px * SUPERSAMPLING
        paper[::step] -= 22
        paper[:, ::step] -= 22
    ink = np.zeros((height, width), np.uint8)
    row_height = height / (len(sheet.rows) + 0.4)
    for number, row in enumerate(sheet.rows):
        _write_row(ink, row, (number + 0.7) * row_height, row_height, rng)
    share = cv2.GaussianBlur(ink, (5, 5), 0).astype(np.float32) / 255
    light = np.outer(np.linspace(1, sheet.light**0.5, height), np.linspace(sheet.light**0.5, 1, width))
    seen = (paper * (1 - share) + sheet.ink * share) * light + rng.normal(0, 4, (height, width))
    seen = cv2.resize(seen.astype(np.float32), sheet.size_wh, interpolation=cv2.INTER_AREA)
    return np.clip(seen[..., None] * np.array(sheet.tint, np.float32), 0, 255).astype(np.uint8)


def _write_row(
    ink: np.ndarray, row: Sequence[str], middle_y: float, row_height: float, rng: np.random.Generator
) -> None:
    cell = ink.shape[1] / (len(row) + 0.6)
    size = 0.62 * min(row_height, 1.25 * cell)
    for place, symbol in enumerate(row):
        middle = np.array([(place + 0.8) * cell, middle_y]) + rng.normal(0, 0.03 * size, 2)
        write_on(ink, symbol, middle, size * rng.uniform(0.9, 1.1), max(2, round(0.075 * size)), rng)


def write_on(
    ink: np.ndarray, symbol: str, middle_xy: np.ndarray, size_px: float, pen_px: int, rng: np.random.Generator
) -> None:
    """Draws a symbol's strokes onto `(H, W) uint8`, its longest side `size_px`."""
    strokes = write(symbol, rng)
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    scale = size_px / max(float((high - low).max()), 1e-6)
    lines = [np.rint(((s - (low + high) / 2) * scale + middle_xy) * 16).astype(np.int32) for s in strokes]
    cv2.polylines(ink, lines, False, 255, pen_px, cv2.LINE_AA, 4)  # 4 fractional bits, hence × 16


if __name__ == "__main__":
    folder = ASSETS / "samples"
    folder.mkdir(parents=True, exist_ok=True)
    for name, sample in SAMPLES.items():
        picture = cv2.cvtColor(draw_sheet(sample), cv2.COLOR_RGB2BGR)
        cv2.imwrite(str(folder / f"{name}.jpg"), picture, (cv2.IMWRITE_JPEG_QUALITY, 85))
