"""The choice of the layer and of the sets whose samples are shown; their embeddings, computed once for all sessions."""

import streamlit as st

from core.data import Samples
from core.embedding.space import embed_samples
from core.inspection.subject import open_subject
from core.networks import open_network
from pages.components.caches import fingerprint
from pages.components.embedding.scene import Scene
from pages.components.kept import kept
from pages.components.train.tested import samples_of, with_progress

FIRST = 2000  # samples shown on a first visit


def choose_scene(network: str) -> Scene | None:
    """Shows the choices; the space that they make, None (said on the page) where there is none."""
    trained = open_network(network)
    subject = open_subject(trained)
    samples: Samples = samples_of(trained)
    import torch

    chosen = samples.take(torch.randperm(len(samples), generator=torch.Generator().manual_seed(0))[:FIRST])
    key = repr((fingerprint(trained.passport), None, chosen.sha256))
    space = kept(
        ("space", key),
        lambda: with_progress("Computing the embeddings …", lambda tell: embed_samples(subject, None, [chosen], tell)),
    )
    st.caption(f"{len(space):,} samples, {space.embeddings.shape[1]} numbers each")
    return Scene(subject, None, space, key)
