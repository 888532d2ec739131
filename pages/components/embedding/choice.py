"""The choice of the layer and of the sets whose samples are shown; their embeddings, computed once for all sessions."""

from collections.abc import Callable

import streamlit as st

from core.data import Samples
from core.embedding.space import MAX_SAMPLES, Space, embed_samples
from core.errors import InklingError
from core.inspection.subject import Subject, open_subject
from core.networks import open_network
from pages.components.caches import fingerprint
from pages.components.embedding.imported import imported_scene
from pages.components.embedding.link import report
from pages.components.embedding.scene import Scene
from pages.components.embedding.sets import first_choice, offered, samples_in
from pages.components.kept import kept
from pages.components.train.tested import with_progress

LAYER, SETS, COUNT = "embedding_layer", "embedding_sets", "embedding_count"
COUNTS = (200, 500, 1000, 2000, 5000, 10_000, 20_000, 40_000, MAX_SAMPLES)
FIRST = 2000  # samples shown on a first visit: there within two seconds
INSTEAD = "embedding_instead"  # session state: why other samples are shown than the network's own
DENSE = "the dense layer before the output"


def choose_scene(network: str) -> Scene | None:
    """Shows the choices; the space that they make, None (said on the page) where there is none."""
    trained = open_network(network)
    subject = kept(("subject", fingerprint(trained.passport)), lambda: open_subject(trained))
    if not st.session_state.get(SETS):
        first, st.session_state[INSTEAD] = first_choice(trained)
        st.session_state[SETS] = [first]
    sets, count, layer = _choices(subject)
    if (imported := imported_scene(subject, sets)) is not None:
        return imported
    if st.session_state.get(INSTEAD):
        st.info(st.session_state[INSTEAD], icon=":material/info:")
    there: list[Samples] = []
    for set_id in sets:
        try:
            there.append(samples_in(set_id, trained, count))
        except InklingError as error:
            st.error(str(error), icon=":material/error:")
    if not there:
        st.info("Choose a set of samples above.", icon=":material/database:")
        return None
    key = repr((fingerprint(trained.passport), layer, tuple(samples.sha256 for samples in there)))
    space = _kept_space(
        key,
        lambda: with_progress("Computing the embeddings …", lambda tell: embed_samples(subject, layer, there, tell)),
    )
    _say_what_it_is(space)
    return Scene(subject, layer, space, key)


def _choices(subject: Subject) -> tuple[list[str], int, str | None]:
    titles = offered()
    for gone in [chosen for chosen in st.session_state[SETS] if chosen not in titles]:
        st.session_state[SETS].remove(gone)
        report(f"there is no set {gone[:60]!r} here")
    layers = {"": DENSE, **{layer.name: layer.title for layer in subject.layers if layer.label != "input"}}
    if (asked := st.session_state.get(LAYER) or "") not in layers:
        report(f"{subject.name} has no layer {asked!r}, so {DENSE} is shown")
        asked = ""
    st.session_state[LAYER] = asked
    if st.session_state.get(COUNT) not in COUNTS:
        asked_count = st.session_state.get(COUNT, FIRST)
        st.session_state[COUNT] = next(c for c in COUNTS if c >= asked_count)
    left, middle, right = st.columns([5, 2, 4], vertical_alignment="top")
    with left:
        sets = st.multiselect(
            "Samples", list(titles), format_func=titles.get, key=SETS, persist_state="session",
            help="One set or several at once, each with its own shape on the map.", on_change=_own_choice,
        )  # fmt: skip
    with middle:
        count = st.selectbox(
            "Of each set", COUNTS, format_func=lambda n: f"up to {n:,}", key=COUNT, persist_state="session",
            help=f"Drawn once, the same each time. All sets together may hold {MAX_SAMPLES:,}.",
        )  # fmt: skip
    with right:
        layer = st.selectbox(
            "Layer", list(layers), format_func=layers.get, key=LAYER, persist_state="session",
            help="The space is what this layer makes of the samples: each of its numbers is an axis.",
        )  # fmt: skip
    return sets, count, layer or None


def _own_choice() -> None:
    st.session_state[INSTEAD] = ""


def _say_what_it_is(space: Space) -> None:
    rows, width = space.embeddings.shape
    text = f"{rows:,} samples, {width:,} number{'s' if width > 1 else ''} each"
    if space.reduction is not None:
        text += (
            f": the main axes of {space.reduction.of:,} numbers, which would not fit into memory for so many samples; "
            f"they keep {space.reduction.kept * 100:.0f} % of the variance"
        )
    st.caption(f"{text}.")


def _kept_space(key: str, make: Callable[[], Space]) -> Space:
    place = _place(key)
    if not place:
        place.append(make())
    return place[0]


@st.cache_resource(max_entries=5, show_spinner=False)  # the largest take 250 MB
def _place(key: str) -> list[Space]:
    return []
