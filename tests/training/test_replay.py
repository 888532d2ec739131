"""The time machine: each frame says what a forward pass by hand says, and nothing but the network moves."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from sklearn.decomposition import PCA

from core.data import Samples, load
from core.errors import TrainingError
from core.networks.base import Network, as_input, build
from core.training.config import TrainingConfig
from core.training.fit import BatchDone, fit
from core.training.recipes import recipe
from core.training.replay import SHOWN, replay

STEPS = (0, 1, 2, 5, 10, 20)


@dataclass(frozen=True)
class SmallRun:
    """What a replay asks of a run, and no more."""

    name: str
    config: TrainingConfig
    kept: tuple["Kept", ...]

    def snapshots(self) -> tuple["Kept", ...]:
        return self.kept


@dataclass(frozen=True)
class Kept:
    step: int
    examples: int
    epoch: int
    file: Path


def keep(network: Network, folder: Path, step: int, examples: int) -> Kept:
    file = folder / f"{step:06}.safetensors"
    save_file({key: value.contiguous() for key, value in network.state_dict().items()}, file)
    return Kept(step, examples, 0, file)


@pytest.fixture(scope="module")
def small_run(tmp_path_factory) -> SmallRun:
    """Twenty batches of stroke digits, with snapshots."""
    folder = tmp_path_factory.mktemp("snapshots")
    config = recipe("report", dataset="strokes-digits", epochs=1, threads=1, learning_rate=0.1)
    train, test = load("strokes-digits", "train").take(torch.arange(1280)), load("strokes-digits", "test")
    torch.manual_seed(0)
    network = build(config.spec(10))
    kept, step = [keep(network, folder, 0, 0)], 0
    for event in fit(network, train, test.take(torch.arange(50)), config):
        if isinstance(event, BatchDone):
            step += 1
            if step in STEPS:
                kept.append(keep(network, folder, step, event.examples))
    return SmallRun("small", config, tuple(kept))


@pytest.fixture(scope="module")
def digits() -> Samples:
    return load("strokes-digits", "test")


def own_glyph(samples: Samples) -> np.ndarray:
    return samples.images[3].numpy().astype(np.float32) / 255


@pytest.fixture(scope="module")
def replayed(small_run, digits):
    return replay(small_run, digits, own_glyph(digits))


def test_each_snapshot_is_a_frame_that_says_when(replayed):
    assert [frame.step for frame in replayed.frames] == list(STEPS)
    assert [frame.examples for frame in replayed.frames] == [step * 64 for step in STEPS]
    assert replayed.frames[-1].accuracy > replayed.frames[0].accuracy + 0.1


def test_a_frame_says_what_the_network_says(replayed, small_run, digits):
    frame, network = replayed.frames[-1], build(small_run.config.spec(10)).eval()
    network.load_state_dict(load_file(small_run.kept[-1].file))
    with torch.inference_mode():
        every = network.logits(as_input(digits.inputs)).argmax(1)
        own = network(torch.from_numpy(own_glyph(digits))[None, None]).exp()[0]
    assert np.allclose(frame.probabilities, own.numpy(), atol=1e-5)
    assert np.array_equal(frame.filters, network.conv1.weight.detach().numpy()[:, 0])
    assert frame.confusion.sum() == replayed.tested
    assert frame.accuracy == pytest.approx(np.trace(frame.confusion) / replayed.tested)
    # a random 2,000 of them at most: close to all
    assert frame.accuracy == pytest.approx((every == digits.labels).float().mean().item(), abs=0.03)


def test_the_points_are_the_embeddings_main_axes_turned(replayed, small_run, digits):
    network = build(small_run.config.spec(10)).eval()
    order = torch.randperm(len(digits), generator=torch.Generator().manual_seed(1))
    shown = digits.take(order[:SHOWN])
    assert (replayed.labels == shown.labels.numpy()).all()
    for frame, kept in zip(replayed.frames, small_run.kept, strict=True):
        network.load_state_dict(load_file(kept.file))
        with torch.inference_mode():
            embedding = network.embed(as_input(shown.inputs)).numpy()
        pca = PCA(2).fit(embedding)
        expected = pca.transform(embedding)
        distances = np.linalg.norm(expected[:40, None] - expected[None, :40], axis=2)
        turned = np.linalg.norm(frame.points[:40, None] - frame.points[None, :40], axis=2)
        assert np.corrcoef(distances.ravel(), turned.ravel())[0, 1] > 0.9999
        assert frame.explained == pytest.approx(pca.explained_variance_ratio_.sum(), abs=1e-3)
        assert (frame.points**2).sum(1).mean() == pytest.approx(1)


def test_points_are_turned_to_where_they_go_next(replayed):
    def movement(one: np.ndarray, other: np.ndarray) -> float:
        return float(((one - other) ** 2).sum())

    for one, other in zip(replayed.frames, replayed.frames[1:], strict=False):
        here = movement(one.points, other.points)
        for degrees in (20, 90, 180, 270):
            angle = np.deg2rad(degrees)
            turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
            assert here <= movement(one.points @ turn, other.points)
        assert here <= movement(one.points * [1, -1], other.points)


def test_progress_counts_the_snapshots(small_run, digits):
    seen = []
    replay(small_run, digits.take(torch.arange(30)), progress=lambda done, total: seen.append((done, total)))
    assert seen == [(i + 1, len(STEPS)) for i in range(len(STEPS))]


def test_without_a_drawing_and_with_few_samples(small_run, digits):
    few = replay(small_run, digits.take(torch.arange(3)))
    assert few.tested == 3
    assert few.frames[0].probabilities is None
    assert few.frames[0].points.shape == (3, 2)
    assert np.isfinite(few.frames[0].points).all()
    (alone,) = {frame.points.shape for frame in replay(small_run, digits.take(torch.arange(1))).frames}
    assert alone == (1, 2)


def test_a_network_that_went_numb_is_shown_as_one_point(small_run, digits, tmp_path):
    network = build(small_run.config.spec(10))
    for parameter in network.parameters():
        torch.nn.init.zeros_(parameter)
    numb = SmallRun("numb", small_run.config, (keep(network, tmp_path, 0, 0), *small_run.kept[-1:]))
    frame = replay(numb, digits).frames[0]
    assert not frame.points.any()
    assert frame.explained == 0
    assert frame.confusion[:, 0].sum() == frame.confusion.sum()


def test_tables_have_no_filters(tmp_path):
    config = TrainingConfig(dataset="heart:x.csv", network="heart-11-10-1")
    torch.manual_seed(0)
    run = SmallRun("heart", config, (keep(build(config.spec(2)), tmp_path, 0, 0),))
    table = Samples("t", "test", torch.randn(60, 11), torch.arange(60) % 2, ("no", "yes"), columns=tuple("abcdefghijk"))
    (frame,) = replay(run, table, glyph=np.zeros((28, 28))).frames
    assert frame.filters is None
    assert frame.probabilities is None
    assert frame.confusion.shape == (2, 2)


def test_missing_and_foreign_snapshots_are_named(small_run, digits, tmp_path):
    with pytest.raises(TrainingError, match="'none' has kept no snapshots"):
        replay(SmallRun("none", small_run.config, ()), digits)
    gone = Kept(0, 0, 0, tmp_path / "gone.safetensors")
    with pytest.raises(TrainingError, match="gone.safetensors is missing, damaged or another network's"):
        replay(SmallRun("gone", small_run.config, (gone,)), digits)
    (tmp_path / "other.safetensors").write_bytes(b"no tensors")
    with pytest.raises(TrainingError, match="other.safetensors"):
        replay(SmallRun("x", small_run.config, (Kept(0, 0, 0, tmp_path / "other.safetensors"),)), digits)
