"""What the sections of Embedding Explorer share: a space, and which of its samples are chosen."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

if TYPE_CHECKING:
    from core.embedding.space import Space
    from core.inspection.subject import Subject

SECTION = "embedding_section"  # session state: the section that is open
CHOSEN = "embedding_chosen"  # session state: (key of the space, indices of the samples that were lassoed or clicked)


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
