"""A map that takes time: made in the background, with its progress, the time left and a way to stop it."""

import streamlit as st

from core.embedding import map_job
from core.embedding.map_job import MapJob
from core.embedding.map_store import open_map
from core.embedding.maps import KINDS, PCA, UMAP, Map, MapConfig, make_map
from core.embedding.space import Space
from pages.components.kept import kept

EVERY_S = 0.7


def show_progress(space: Space, config: MapConfig) -> Map | None:
    """The map if it is there; else what makes it and how far that is, and None."""
    if config.kind == PCA:
        return kept(("map", space.sha256, *config.decisive), lambda: make_map(space.embeddings, config))
    found = _known(space, config)
    if found is not None:
        return found
    job = map_job.latest(space, config)
    running = job is not None and job.running
    st.fragment(_progress, run_every=EVERY_S if running else None)(space, config, running)
    st.caption(f"Until {KINDS[config.kind]} is there, the map below is PCA.")
    return None


def _known(space: Space, config: MapConfig) -> Map | None:
    """Of this server's memory, or of the disk."""
    place = _place(repr((space.sha256, config.decisive)))
    if not place:
        found = open_map(space.sha256, config, len(space))
        if found is None:
            return None
        place.append(found)
    return place[0]


@st.cache_resource(max_entries=50, show_spinner=False)
def _place(key: str) -> list[Map]:
    return []


def _progress(space: Space, config: MapConfig, seen_running: bool) -> None:
    job = map_job.latest(space, config)
    if seen_running != (job is not None and job.running):
        st.rerun()  # with the timer, or without it; or with the map
    if job is not None and job.running:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.progress(job.done / job.total if job.total else 0.0, _words(job))
            st.button("Stop", icon=":material/stop_circle:", key="embedding_map_stop", on_click=job.stop)
        return
    if job is not None and job.state == "failed":
        st.error(job.message, icon=":material/error:")
    elif job is not None and job.state == "stopped":
        st.info("It was stopped; nothing of it was kept.", icon=":material/stop_circle:")
    name = KINDS[config.kind]
    if st.button(f"Make the {name} map", icon=":material/play_arrow:", type="primary", key="embedding_map_start"):
        map_job.start(space, config)
        st.rerun()
    st.caption(
        f"{len(space):,} samples. It goes on in the background: you may leave the page. Once made, it is kept, and is "
        "there at once the next time."
    )


def _words(job: MapJob) -> str:
    name = KINDS[job.config.kind]
    if job.state == "waiting":
        return f"{name} waits until another map is done."
    if not job.done:
        ready = "gets ready (the first time about 20 s)" if job.config.kind == UMAP else "gets ready"
        return f"{name} {ready} and looks for every sample's neighbours: {round(job.seconds)} s so far"
    left = job.seconds_left
    if left is None:
        return f"{name}: {job.done} of {job.total} iterations"
    when = f"{max(1, round(left))} s" if left < 90 else f"{round(left / 60)} minutes"
    return f"{name}: {job.done} of {job.total} iterations, about {when} left"
