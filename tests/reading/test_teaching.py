"""Teaching live without a camera: embeddings, prototypes, the taught recognizer, captures and their undoing."""

import dataclasses

import numpy as np
import pytest
import torch

from core.data.strokes import draw_glyphs
from core.errors import DataError, NetworkError
from core.networks import open_network
from core.networks.embedding_runtime import open_embedding_session, with_embedding
from core.reading.live import LiveReader
from core.reading.overlay import said
from core.reading.prototypes import COPIES, Embedder, changed, fit_prototypes, ground_of
from core.reading.recognizer import open_recognizer
from core.reading.scene import DemoScene
from core.reading.teaching import MAX_CAPTURES, MAX_SYMBOLS, NEARLY_SAME, Teaching, prepare
from core.reading.tracks import Tracker
from core.reading.types import Reading

LETTERS = ("psi", "lambda")
FPS = 15


@pytest.fixture(scope="module")
def digits():
    try:
        return open_recognizer("digits")
    except NetworkError as error:
        pytest.skip(f"no trained network: {error}")


def glyphs_of(*symbols, seed):
    return draw_glyphs(symbols, seed).astype(np.float32) / 255


def taught_letters(captures=5):
    teaching = Teaching()
    for place, glyph in enumerate(glyphs_of(*LETTERS * captures, seed=1)):
        teaching.take(LETTERS[place % len(LETTERS)], glyph)
    return teaching


@pytest.fixture(scope="module")
def taught(digits):
    return taught_letters().recognizer(digits)


@pytest.mark.parametrize("name", ["digits", "report", "greek"])
def test_embeddings_from_the_onnx_file_are_the_modules_own(name):
    network = open_network(name)
    glyphs = glyphs_of("3", "7", "psi", seed=3)
    logits, embeddings = open_embedding_session(network).run(None, {"glyphs": glyphs[:, None]})
    with torch.inference_mode():
        expected = network.module().embed(torch.from_numpy(glyphs)[:, None]).flatten(1).numpy()
    np.testing.assert_allclose(embeddings, expected, atol=2e-4)
    np.testing.assert_array_equal(logits, network.logits(glyphs))


def test_a_network_that_ends_in_no_dense_layer_is_refused():
    model = open_network("report").runtime_file.read_bytes()
    assert with_embedding(model).startswith(model)
    with pytest.raises(NetworkError, match="no dense layer"):
        with_embedding(model.replace(b"Gemm", b"Relu"))


def test_sureness_is_the_nearest_mean_by_mahalanobis_distance(digits):
    """Against numpy alone: whitened distances, the border of the digits, the captures' radius."""
    ground = ground_of(digits.network)
    rows = np.concatenate(
        [ground.embedder(changed(glyph, seed))[1] for seed, glyph in enumerate(glyphs_of("psi", "psi", "psi", seed=5))]
    )
    prototypes = fit_prototypes(ground, [("psi", rows)])
    names = list(dict.fromkeys(ground.labels.tolist()))
    means = {name: ground.embeddings[ground.labels == name].mean(0) for name in names}
    residuals = np.concatenate(
        [ground.embeddings - np.stack([means[label] for label in ground.labels]), rows - rows.mean(0)]
    ).astype(float)
    covariance = residuals.T @ residuals / len(residuals)
    covariance += 0.1 * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    inverse = np.linalg.inv(covariance)

    def distance(some, mean):
        return np.einsum("nd,de,ne->n", some - mean, inverse, some - mean)

    def margin(some):
        return np.min([distance(some, means[name]) for name in names], axis=0) - distance(some, rows.mean(0))

    border = max(0.0, np.quantile(margin(ground.embeddings), 0.999))
    radius = 2 * np.quantile(distance(rows, rows.mean(0)), 0.95)
    unseen = ground.embedder(np.concatenate([glyphs_of("psi", "psi", "7", "omega", "chi", seed=s) for s in range(9)]))[
        1
    ]
    expected = (margin(unseen) > border) & (distance(unseen, rows.mean(0)) < radius)
    sure = prototypes.sureness(unseen)[:, 0]
    np.testing.assert_array_equal(sure > 0.5, expected)
    assert expected.any()
    assert not expected.all()
    assert np.all((sure >= 0) & (sure <= 1))
    usual = prototypes.sureness(rows)[:, 0]
    assert np.median(usual) > 0.95


def test_taught_letters_are_read_and_digits_stay(digits, taught):
    assert taught.classes == (*digits.classes, *LETTERS)
    unseen = glyphs_of(*["psi"] * 20, *["lambda"] * 20, seed=11)
    probabilities, scores = taught.classify(unseen)
    answers = [taught.classes[i] for i in probabilities.argmax(1)]
    right = np.array(answers) == np.repeat(LETTERS, 20)
    assert np.mean(right & (scores >= taught.threshold)) > 0.8
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)
    seen = glyphs_of(*list("0123456789") * 20, seed=12)
    before, scores_before = digits.classify(seen)
    after, scores_after = taught.classify(seen)
    changed_ones = before.argmax(1) != after.argmax(1)
    assert changed_ones.mean() <= 0.01
    np.testing.assert_allclose(scores_after[~changed_ones], scores_before[~changed_ones], rtol=1e-4, atol=1e-4)


def test_the_shared_recognizer_is_not_changed(digits):
    glyphs = glyphs_of(*"0123456789", "psi", seed=4)
    before = digits.classify(glyphs)
    classes, weights = digits.classes, digits.network.passport.weights_sha256
    taught_letters().recognizer(digits).classify(glyphs)
    after = digits.classify(glyphs)
    assert (digits.classes, digits.network.passport.weights_sha256) == (classes, weights)
    np.testing.assert_array_equal(before[0], after[0])
    np.testing.assert_array_equal(before[1], after[1])


def test_a_class_of_the_network_can_be_taught_more_samples(digits):
    teaching = Teaching()
    for glyph in glyphs_of("7", "7", "7", seed=2):
        teaching.take("7", glyph)
    taught = teaching.recognizer(digits)
    assert taught.classes == digits.classes
    probabilities, _ = taught.classify(glyphs_of(*"0123456789", seed=6))
    np.testing.assert_array_equal(probabilities.argmax(1), range(10))


def test_captures_outlast_the_network(digits, taught):
    teaching = taught_letters()
    report = open_recognizer("report")
    unseen = glyphs_of(*["psi"] * 10, seed=11)
    for recognizer in (digits, report, digits):
        reads = teaching.recognizer(recognizer)
        assert reads.network is recognizer.network
        probabilities, _ = reads.classify(unseen)
        assert np.mean(probabilities.argmax(1) == reads.classes.index("psi")) > 0.5
    assert prepare(digits).result() is None


def test_captures_can_be_undone_removed_forgotten_and_brought_back(digits):
    teaching = taught_letters(captures=2)
    assert teaching.labels == LETTERS
    assert teaching.recognizer(digits) is teaching.recognizer(digits)
    numbers = [capture.number for capture in teaching.captures]
    assert teaching.undo().number == numbers[-1]
    gone = teaching.forget("psi")
    assert [capture.label for capture in teaching.captures] == ["lambda"]
    teaching.remove(teaching.captures[0].number)
    assert teaching.recognizer(digits) is digits
    assert teaching.undo() is None
    teaching.bring_back(gone)
    teaching.bring_back(gone)
    assert [capture.number for capture in teaching.captures] == [capture.number for capture in gone]


def test_what_shows_nothing_new_is_told():
    teaching = Teaching()
    (glyph,) = glyphs_of("psi", seed=1)
    assert teaching.take("psi", glyph).like is None
    with pytest.raises(DataError, match="very picture of capture 1"):
        teaching.take("psi", glyph.copy())
    assert teaching.take("other", glyph).like is None  # another symbol may look so
    nearly = np.clip(glyph + np.random.default_rng(0).normal(0, 0.02, glyph.shape), 0, 1).astype(np.float32)
    assert NEARLY_SAME < 1
    assert teaching.take("psi", nearly).like == 1
    assert teaching.take("psi", glyphs_of("psi", seed=2)[0]).like is None
    with pytest.raises(DataError, match="no ink"):
        teaching.take("psi", np.zeros((28, 28), np.float32))
    assert len(teaching.captures) == 4


def test_nothing_grows_without_bound():
    teaching = Teaching()
    for glyph in glyphs_of(*["psi"] * MAX_CAPTURES, seed=1):
        teaching.take("psi", glyph)
    (one_more,) = glyphs_of("psi", seed=2)
    with pytest.raises(DataError, match="captures of it already"):
        teaching.take("psi", one_more)
    for number in range(MAX_SYMBOLS - 1):
        teaching.take(f"symbol {number}", one_more)
    with pytest.raises(DataError, match="symbols are taught already"):
        teaching.take("one more", one_more)


def test_copies_are_different_views_and_the_embedder_takes_any_number(digits):
    (glyph,) = glyphs_of("psi", seed=1)
    copies = changed(glyph, seed=3)
    assert copies.shape == (1 + COPIES, 28, 28)
    np.testing.assert_array_equal(copies[0], glyph)
    np.testing.assert_array_equal(copies, changed(glyph, seed=3))
    assert len(np.unique(copies, axis=0)) == 1 + COPIES
    embedder = Embedder(digits.network)
    _, together = embedder(np.repeat(copies, 8, axis=0))  # more than one batch
    np.testing.assert_allclose(together[::8], embedder(copies)[1], atol=1e-5)


def test_a_video_reads_a_symbol_from_the_next_frames_on_and_keeps_its_tracks(digits):
    scene, teaching = DemoScene(pages=(("psi", "2", "7"),)), Teaching()
    reader = LiveReader(recognizer=digits)
    time_s = 0.0

    def play(frames):
        nonlocal time_s
        for _ in range(frames):
            reader.process(scene.frame(time_s), time_s)
            time_s += 1 / FPS

    def symbols():
        return sorted((*reader.newest.reading.symbols, *reader.newest.reading.refused), key=lambda s: s.box[0])

    play(8)
    tracks = [s.track for s in symbols()]
    assert len(tracks) == 3
    for _ in range(3):
        teaching.take("❤ fork", symbols()[0].glyph)
        play(9)
    reader.change(reader.settings, teaching.recognizer(digits))
    play(4)
    assert reader.newest.reading.spaced == "❤ fork 2 7"
    assert [s.track for s in symbols()] == tracks
    assert said(symbols()[0]).startswith("heavy black heart fork ")
    teaching.forget("❤ fork")
    reader.change(reader.settings, teaching.recognizer(digits))
    play(4)
    assert [s.label for s in symbols()][1:] == ["2", "7"]
    assert [s.track for s in symbols()] == tracks
    assert reader.status().errors == 0


def test_tracks_take_over_other_classes():
    """What a track said of a class stays with that class, wherever it stands now."""
    rng = np.random.default_rng(0)
    tracker = Tracker(("a", "b"))
    sight = Reading("b", 0.9, (10, 10, 20, 20), 0, rng.random((28, 28)).astype(np.float32), np.array([0.1, 0.9]))
    for frame in range(4):
        tracker.update([sight], frame / FPS)
    tracker.learn(("b", "new"))
    (symbol,) = tracker.update([dataclasses.replace(sight, probabilities=np.array([0.2, 0.8]))], 5 / FPS)
    assert (symbol.track, symbol.label) == (1, "new")
    np.testing.assert_allclose(symbol.probabilities, [0.2, 0.8], rtol=1e-5)
