"""What is shown to a network under examination."""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np


@dataclass(frozen=True, eq=False)
class Specimen:
    """A glyph, a photo or the features of one row of a table."""

    kind: str  # "glyphs", "photos" or "features"
    name: str  # "test sample 18", "your drawing"
    pixels: np.ndarray  # (28, 28) float32 glyph in [0, 1]; (H, W, 3) uint8 photo in RGB; (F,) float32 scaled features
    label: str | None = None  # what it truly is, where that is known
    strokes: tuple[dict, ...] = field(default=())  # of a drawing: Fabric's path objects, as the canvas gives them

    @cached_property
    def key(self) -> str:
        """The same for the same specimen: for caches."""
        digest = hashlib.sha256(repr((self.kind, self.name, self.label, self.pixels.shape)).encode())
        digest.update(np.ascontiguousarray(self.pixels).tobytes())
        digest.update(repr(self.strokes).encode())
        return digest.hexdigest()
