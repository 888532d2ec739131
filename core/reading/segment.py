"""Image → segments in reading order."""

from dataclasses import dataclass

import cv2
import numpy as np

from core.reading.glyph import normalise
from core.reading.types import Segment, Segmentation


@dataclass(frozen=True)
class SegmentOptions:
    method: str = "adaptive"  # "adaptive" | "otsu" | "fixed"
    level: int = 128  # grey level for "fixed", 0..255
    smallest: float = 0.02  # smallest symbol: its longest side as a share of the image's shortest side
    keep_stages: bool = False
    longest_side: int = 1600  # larger images are reduced to this before anything else


def segment(image: np.ndarray, options: SegmentOptions = SegmentOptions()) -> Segmentation:
    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    _, mask = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    boxes = sorted(tuple(int(v) for v in stats[i, :4]) + (i,) for i in range(1, count) if stats[i, 4] > 30)
    segments = []
    for x, y, w, h, i in boxes:
        ink = (labels[y : y + h, x : x + w] == i).astype(np.float32)
        segments.append(Segment((x, y, w, h), normalise(ink), 0, 1.0))
    return Segmentation(tuple(segments), (grey.shape[1], grey.shape[0]), True, {"grey": grey, "threshold": mask})
