"""The widgets of a map: its kind, dimensions, settings and colours; light enough to be read before torch is there."""

import streamlit as st

KIND, DIMENSIONS, COLOUR = "embedding_map_kind", "embedding_map_dimensions", "embedding_colour"
PERPLEXITY, NEIGHBOURS = "embedding_perplexity", "embedding_neighbours"
MIN_DISTANCE, SEED = "embedding_min_distance", "embedding_seed"
GLYPHS, LOST, PEN = "embedding_glyphs", "embedding_lost", "embedding_pen"
COLOURS = {
    "class": "class",
    "set": "set",
    "answer": "right or wrong",
    "confidence": "confidence",
    "trust": "trust in the map",
}
KINDS = {"pca": "PCA", "tsne": "t-SNE", "umap": "UMAP"}
ABOUT = (
    "**PCA** turns the space so that it is widest across the map: straight, exact, at once; what is far apart is far "
    "apart. **t-SNE** and **UMAP** bend the space so that neighbours stay neighbours: groups become clear, but the "
    "distances between groups, their sizes and the empty room mean little."
)
DEFAULTS = {KIND: "pca", DIMENSIONS: 2, COLOUR: "class", PERPLEXITY: 30, NEIGHBOURS: 15, MIN_DISTANCE: 0.1, SEED: 0}


def set_defaults() -> None:
    """Before anything asks for the view."""
    for key, value in DEFAULTS.items():
        st.session_state.setdefault(key, value)


def choose_view(count: int) -> None:
    """Shows the widgets; their values stand in the session's state. `count`: samples of the space."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.segmented_control(
            "Map", list(KINDS), required=True, format_func=KINDS.get, key=KIND, persist_state="session", help=ABOUT
        )
        st.segmented_control(
            "Dimensions", [2, 3], required=True, format_func=lambda d: f"{d}-D",
            key=DIMENSIONS, persist_state="session",
            help="In 3-D the map can be turned with the mouse or a finger; lasso and pictures are for 2-D.",
        )  # fmt: skip
        st.selectbox(
            "Colours tell", list(COLOURS), format_func=COLOURS.get, key=COLOUR, persist_state="session", width=170
        )
        if st.session_state[KIND] != "pca":
            with st.popover("Settings", icon=":material/tune:"):
                _settings(count)
    with st.container(horizontal=True):
        st.toggle(
            "Glyphs", key=GLYPHS, persist_state="session", disabled=st.session_state[DIMENSIONS] == 3,
            help="Draws the samples themselves, as many as have room beside each other.",
        )  # fmt: skip
        st.toggle(
            "Mark lost neighbours",
            key=LOST,
            persist_state="session",
            help="Crosses the samples most of whose true neighbours are not near on the map: do not trust their place.",
        )
        st.toggle(
            "Draw on the map", key=PEN, persist_state="session",
            help="A sheet beside the map: while you draw, the unfinished drawing moves over the map.",
        )  # fmt: skip


def _settings(count: int) -> None:
    if st.session_state[KIND] == "tsne":
        most = max(2, min(200, (count - 1) // 3))
        st.session_state[PERPLEXITY] = min(st.session_state[PERPLEXITY], most)
        st.number_input(
            "Perplexity", 2, max(3, most), key=PERPLEXITY, persist_state="session",
            help="About how many neighbours each sample looks to; 5 to 50 are usual. Small: many small groups.",
        )  # fmt: skip
    else:
        most = max(2, min(200, count - 1))
        st.session_state[NEIGHBOURS] = min(st.session_state[NEIGHBOURS], most)
        st.number_input(
            "Neighbours", 2, max(3, most), key=NEIGHBOURS, persist_state="session",
            help="How many neighbours each sample is tied to. Few: fine detail; many: the large shape.",
        )  # fmt: skip
        st.number_input(
            "Least distance", 0.0, 1.0, step=0.05, key=MIN_DISTANCE, persist_state="session",
            help="How close samples may lie on the map. Small: dense groups.",
        )  # fmt: skip
    st.number_input(
        "Seed", 0, 2**31 - 1, key=SEED, persist_state="session",
        help="Chance plays a part. What stays the same with another seed may be believed.",
    )  # fmt: skip
