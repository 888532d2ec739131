"""Maps: PCA as numpy has it, t-SNE and UMAP that keep groups apart, in the background, kept, stopped; trails."""

import sys
import time
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numba
import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier
from tqdm import tqdm

from core.embedding import map_job, map_store
from core.embedding.compiled import keep_compiled
from core.embedding.map_store import keep_map, map_file, open_map
from core.embedding.maps import PCA, TSNE, UMAP, Map, MapConfig, make_map
from core.embedding.space import Space
from core.embedding.trail import VOTERS, follow, unfinished
from core.errors import DataError
from core.inspection.strokes import Stroke

LABELS = np.arange(90) % 3


@pytest.fixture(scope="module")
def groups():
    """Three clouds far apart."""
    rng = np.random.default_rng(3)
    return (rng.normal(size=(90, 10)) + 12 * np.eye(10)[LABELS]).astype(np.float32)


def space_of(embeddings: np.ndarray) -> Space:
    count = len(embeddings)
    glyphs = np.zeros((count, 28, 28), np.uint8)
    return Space(embeddings, glyphs, LABELS[:count], np.zeros(count, np.int64), ("a", "b", "c"), ("set",))


def own_group(layout: np.ndarray) -> float:
    return KNeighborsClassifier(5).fit(layout, LABELS).score(layout, LABELS)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_pca_is_the_singular_value_decomposition(groups, dimensions):
    made = make_map(groups, MapConfig(PCA, dimensions))
    centred = groups.astype(float) - groups.mean(0)
    u, s, _ = np.linalg.svd(centred, full_matrices=False)
    np.testing.assert_allclose(np.abs(made.layout), np.abs(u * s)[:, :dimensions], atol=1e-3)
    np.testing.assert_allclose(made.explained, (s**2 / (s**2).sum())[:10], atol=1e-5)
    assert made.places_exactly
    np.testing.assert_allclose(made.place(groups, groups[:7]), made.layout[:7], atol=1e-4)


def test_pca_of_what_has_no_second_axis():
    line = np.arange(6, dtype=np.float32)[:, None]
    assert (make_map(line, MapConfig()).layout[:, 1] == 0).all()
    same = make_map(np.ones((4, 5), np.float32), MapConfig(PCA, 3))
    assert same.layout.shape == (4, 3)
    assert np.isfinite(same.explained).all()
    assert make_map(np.ones((1, 5), np.float32), MapConfig()).layout.shape == (1, 2)


def test_umap_gets_its_settings_and_its_bar_tells_how_far_it_is(groups, monkeypatch):
    """With umap-learn's own way of counting epochs; the real one, which compiles for 20 s, runs in the benchmark."""
    asked = {}

    class Embedder:
        def __init__(self, tqdm_kwds, **settings):
            asked.update(settings)
            self.bar = tqdm_kwds

        def fit_transform(self, embeddings):
            for _ in tqdm(range(500), **self.bar):
                pass
            return embeddings[:, :2]

    monkeypatch.setitem(sys.modules, "umap", SimpleNamespace(UMAP=Embedder))
    told = []
    config = MapConfig(UMAP, neighbours=10, min_distance=0.25, seed=4)
    made = make_map(groups, config, lambda done, total: told.append((done, total)))
    assert asked == {
        "n_components": 2, "n_neighbors": 10, "min_dist": 0.25, "random_state": 4, "n_jobs": 1,
    }  # fmt: skip
    assert told[0] == (0, 500)
    assert told[-1] == (500, 500)
    nearest = np.argsort(((groups - groups[0] - 0.01) ** 2).sum(1))[:5]
    np.testing.assert_allclose(made.place(groups, groups[:1] + 0.01)[0], groups[nearest, :2].mean(0), atol=1e-5)


def test_what_umap_compiles_is_kept_on_disk(tmp_path, monkeypatch):
    """Functions of umap-learn by the same names, since its own compile for 13 s; and that it has such ones."""

    @numba.njit
    def doubled(number):
        return 2 * number

    names = {
        "utils": ["fast_knn_indices"],
        "umap_": ["smooth_knn_dist", "compute_membership_strengths"],
        "layouts": ["_nb_optimize_layout_euclidean_single_epoch"],
    }
    sources = Path(find_spec("umap").origin).parent
    for module, functions in names.items():
        assert all(name in (sources / f"{module}.py").read_text() for name in functions), module
    fake = {module: SimpleNamespace(**dict.fromkeys(functions, doubled)) for module, functions in names.items()}
    monkeypatch.setitem(sys.modules, "umap", SimpleNamespace(**fake))
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    keep_compiled(tmp_path / "numba")
    assert doubled(21) == 42
    assert [file.suffix for file in sorted((tmp_path / "numba").rglob("*doubled*"))] == [".nbc", ".nbi"]


def test_tsne_in_the_background_is_kept_and_the_next_is_stopped(groups):
    space, config = space_of(groups), MapConfig(TSNE, perplexity=10)
    job = map_job.start(space, config)
    assert map_job.start(space, config) is job
    job.join(120)
    assert job.state == "finished", job.message
    assert (job.done, job.total) == (750, 750)
    assert job.made is not None
    assert own_group(job.made.layout) == 1
    kept = open_map(space.sha256, MapConfig(TSNE, perplexity=10, neighbours=99), 90)  # UMAP's setting does not matter
    assert kept is not None
    assert (kept.layout == job.made.layout).all()
    other = map_job.start(space, MapConfig(TSNE, perplexity=12))
    assert other.running
    other.stop()
    other.join(30)
    assert other.state == "stopped"
    assert open_map(space.sha256, MapConfig(TSNE, perplexity=12), 90) is None


def test_a_job_that_cannot_be_done_says_why():
    job = map_job.start(space_of(np.zeros((4, 3), np.float32)), MapConfig(TSNE, perplexity=2))
    job.join(60)
    assert job.state == "failed"
    assert job.message == "There is no map: A map by t-SNE needs at least 5 samples, not 4; take more."
    assert "ended from outside, perhaps for want of memory" in map_job._reason(-9, "")
    assert "broke off (ValueError: no)" in map_job._reason(1, "Traceback\nValueError: no")


def test_damaged_and_foreign_maps_are_not_shown(inkling_home, monkeypatch):
    config, layout = MapConfig(TSNE), np.zeros((5, 2), np.float32)
    keep_map("some", Map(config, layout))
    assert open_map("some", config, 5) is not None
    assert open_map("some", config, 6) is None
    assert open_map("other", config, 5) is None
    file = map_file("some", config)
    np.savez(file, layout=np.array([object()]), allow_pickle=True)
    assert open_map("some", config, 5) is None
    file.write_bytes(b"no archive")
    assert open_map("some", config, 5) is None
    monkeypatch.setattr(map_store, "MOST_MAPS", 2)
    for seed in range(4):
        keep_map("some", Map(MapConfig(TSNE, seed=seed), layout))
        time.sleep(0.01)
    assert len(list((inkling_home / "embeddings").iterdir())) == 2


def test_what_no_map_can_be_made_of_is_said(groups):
    with pytest.raises(DataError, match="perplexity of 30 needs at least 91 samples, not 90.*at most 29"):
        make_map(groups, MapConfig(TSNE))
    with pytest.raises(DataError, match="15 neighbours need more than 15 samples, not 12"):
        make_map(groups[:12], MapConfig(UMAP))
    with pytest.raises(DataError, match="no map 'tsn'; choose one of: pca, tsne, umap"):
        MapConfig("tsn")
    with pytest.raises(DataError, match="2 or 3 dimensions, not 4"):
        MapConfig(PCA, 4)
    with pytest.raises(DataError, match="perplexity lies between 2 and 200, not at 1"):
        MapConfig(TSNE, perplexity=1)
    with pytest.raises(DataError, match="numbers without bound"):
        make_map(np.full((9, 2), np.nan, np.float32), MapConfig())


def test_a_drawing_moves_over_the_map_to_its_class():
    import torch

    from core.data import load
    from core.embedding.space import embed_samples
    from core.inspection.subject import open_subject
    from core.networks import open_network

    subject = open_subject(open_network("report"))
    space = embed_samples(subject, None, [load("digits-8x8", "test")])
    shown = make_map(space.embeddings, MapConfig())
    top = Stroke(np.array([[200.0, 60], [320, 60], [260, 290]]), 18.0)
    bar = Stroke(np.array([[220.0, 170], [330, 170]]), 18.0)
    drawings = unfinished([top, bar])
    assert len(drawings) == 10
    assert drawings[4] == (top,)
    assert drawings[-1] == (top, bar)
    lengths = [sum(stroke.length for stroke in drawing) for drawing in drawings]
    np.testing.assert_allclose(np.diff(lengths)[:4], top.length / 5, rtol=1e-6)
    states = follow(subject, None, space, shown, drawings, (600, 340))
    last = states[-1]
    assert last.answer[0] == "7"
    assert last.shares[0][0] == "7"
    assert len(last.nearest) == VOTERS
    assert sum(share for _, share in last.shares) == pytest.approx(1)
    row = subject.module.embed(torch.from_numpy(last.glyph)[None, None]).detach().numpy()
    np.testing.assert_allclose(last.place, ((row - shown.mean) @ shown.axes.T)[0], atol=1e-3)
    assert follow(subject, None, space, shown, [], (600, 340)) == []
