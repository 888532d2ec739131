"""The built-in demo scene: handwriting drawn from strokes on paper, under uneven light, before an unsteady camera.

It stands in for a camera where there is none, and the same seed always plays the same pages.
"""

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np

from core.data.sheets import write_on

PAGES = ("2026", "31415", "07 42", "98765", "12 34")  # a space leaves a gap
PAGE_S = 5.0  # seconds before the page is turned
RULED_EVERY = 3  # every third page is ruled
SUPERSAMPLING = 2  # the page is drawn at twice the frame's size: the camera moves by parts of a pixel
NOISE_LEVEL = 4.0  # grey levels, standard deviation: a webcam indoors


class DemoScene:
    """A camera over a pad of paper, as a pure function of time; a page is a row of symbols of the embedded alphabet."""

    def __init__(
        self, seed: int = 0, size_wh: tuple[int, int] = (640, 480), pages: Sequence[Sequence[str]] = PAGES
    ) -> None:
        self.seed = seed
        self.pages = pages
        self.size_wh = size_wh
        width, height = size_wh
        rng = np.random.default_rng(seed)
        self._noise = rng.normal(0, NOISE_LEVEL, (2 * height, 2 * width)).astype(np.float32)
        self._page = lru_cache(maxsize=2)(self._draw_page)

    def text(self, time_s: float) -> str:
        """What stands on the page at that time, symbols in reading order."""
        return "".join(self.pages[self._turned(time_s) % len(self.pages)]).replace(" ", "")

    def frame(self, time_s: float) -> np.ndarray:
        """What the camera sees at that time: `(H, W, 3) uint8` RGB."""
        width, height = self.size_wh
        page, light = self._page(self._turned(time_s) % len(self.pages))
        seen = cv2.warpPerspective(
            page, self._camera(time_s), (width, height), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE
        )
        moment = np.random.default_rng([self.seed, int(time_s * 1000)])
        x, y = int(moment.integers(width)), int(moment.integers(height))  # another part of the same noise each time
        grey = cv2.GaussianBlur(seen, (3, 3), 0) * light + self._noise[y : y + height, x : x + width]
        tinted = grey[..., None] * np.array([1.0, 0.985, 0.95], np.float32)  # warm lamp light
        return np.clip(tinted, 0, 255).astype(np.uint8)

    def _turned(self, time_s: float) -> int:
        return int(time_s // PAGE_S)

    def _draw_page(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Paper with ink, `(2H, 2W) float32` grey, and the light on it, `(H, W) float32` around 0.9."""
        rng = np.random.default_rng([self.seed, number])
        width, height = (SUPERSAMPLING * side for side in self.size_wh)
        grain = cv2.resize(rng.normal(0, 4, (height // 30, width // 30)).astype(np.float32), (width, height))
        paper = np.full((height, width), rng.uniform(215, 240), np.float32) + grain
        if number % RULED_EVERY == RULED_EVERY - 1:
            paper[height // 16 :: height // 14] -= 24
        text = self.pages[number]
        cell = width / (len(text) + 1)
        tone, pen_px = rng.uniform(25, 70), round(cell * rng.uniform(0.045, 0.065))
        ink = np.zeros((height, width), np.uint8)
        for index, symbol in enumerate(text):
            if symbol != " ":
                middle = np.array([cell * (index + 1), height / 2 + rng.normal(0, cell / 12)])
                write_on(ink, symbol, middle, cell * rng.uniform(0.6, 0.75), pen_px, rng)
        share = cv2.GaussianBlur(ink, (5, 5), 0).astype(np.float32) / 255
        light = np.outer(
            np.linspace(1, rng.uniform(0.7, 1), height // 2), np.linspace(rng.uniform(0.7, 1), 1, width // 2)
        )
        return paper * (1 - share) + tone * share, light.astype(np.float32)

    def _camera(self, time_s: float) -> np.ndarray:
        """The perspective of a hand-held camera: slow waves of different length at each corner, in frame pixels."""
        width, height = self.size_wh
        phases = np.arange(8).reshape(4, 2) * 1.7 + self.seed
        sway = (height / 80) * np.sin(2 * np.pi * (0.3 + 0.05 * np.arange(8).reshape(4, 2)) * time_s + phases)
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        return cv2.getPerspectiveTransform(corners * SUPERSAMPLING, (corners + sway).astype(np.float32))
