"""What the sections of Embedding Explorer share: a space, its map, and which of its samples are chosen."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from pages.components.kept import kept

if TYPE_CHECKING:
    from core.embedding.maps import Map
    from core.embedding.space import Space
    from core.inspection.subject import Subject

SECTION = "embedding_section"  # session state: the section that is open
CHOSEN = "embedding_chosen"  # session state: (key of the space, indices of the samples that were lassoed or clicked)
SHOWN = "embedding_map_shown"  # session state: (key of the space, the map that was shown last)


@dataclass(frozen=True, eq=False)
class Scene:
    """Sections only read it."""

    subject: "Subject"  # shared by all sessions: `own_copy()` before anything is hooked or changed
    layer: str | None  # None: the dense layer before the output
    space: "Space"
    key: str  # of the space, for caches

    @property
    def chosen(self) -> np.ndarray:
        """The samples that are chosen, `(K,) int64`; empty after another space was opened."""
        key, indices = st.session_state.get(CHOSEN, ("", []))
        return np.array(indices if key == self.key else [], np.int64)

    def choose(self, indices: list[int]) -> None:
        st.session_state[CHOSEN] = (self.key, indices)

    @property
    def map(self) -> "Map":
        """The map of this space that was shown last; before there is one, its PCA in two dimensions."""
        key, shown = st.session_state.get(SHOWN, ("", None))
        if key == self.key and shown is not None:
            return shown
        from core.embedding.maps import MapConfig, make_map

        return kept(
            ("map", self.space.sha256, *MapConfig().decisive), lambda: make_map(self.space.embeddings, MapConfig())
        )

    @property
    def layout(self) -> np.ndarray:
        """Where each sample lies on that map, `(N, 2 or 3) float32`."""
        return self.map.layout

    def show(self, shown: "Map") -> None:
        """The Map section says which map is in view."""
        st.session_state[SHOWN] = (self.key, shown)
