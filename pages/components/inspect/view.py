"""What the page looks at, and what its sections share."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from core.networks import TrainedNetwork

SECTION = "inspect_section"  # session state: the section that is open
LAYER = "inspect_layer"  # session state: the name of the layer that was clicked last in the diagram

if TYPE_CHECKING:
    from core.inspection.specimen import Specimen
    from core.inspection.subject import Subject


@dataclass(frozen=True, eq=False)
class View:
    """A network, at a moment of its training, and what is shown to it; sections only read it."""

    subject: "Subject"  # shared by all sessions: `own_copy()` before anything is hooked or changed
    key: str  # of the subject, for caches
    specimen: "Specimen | None"  # None where nothing can be shown to this network yet
    trained: TrainedNetwork | None = None  # None for a network for photos

    @property
    def layer(self) -> str | None:
        """Name of the layer that was clicked in the diagram, where this network has it."""
        clicked = st.session_state.get(LAYER)
        return clicked if clicked in [layer.name for layer in self.subject.layers] else None

    @property
    def keys(self) -> tuple[str, str]:
        """Of the subject and of the specimen, for caches."""
        return self.key, self.specimen.key if self.specimen else ""


def missing_specimen(view: View) -> bool:
    """Whether there is nothing to show the network; says so."""
    if view.specimen is None:
        st.info("Choose above what to show the network.", icon=":material/image:")
    return view.specimen is None


def does_not_apply(why: str) -> None:
    """Says plainly that a section has nothing to show of this network, and why."""
    st.info(why, icon=":material/info:")
