"""What was taught live, kept: as a letters set, and as a network that reads its own classes too."""

import numpy as np
import pytest

from core.data.strokes import draw_glyphs
from core.errors import DataError, NetworkError
from core.networks import open_network
from core.reading.teaching import Teaching
from core.transfer import live_keeping
from core.transfer.job import start
from core.transfer.letters_store import list_letters, open_letters
from core.transfer.live_keeping import LiveJob, keep_as_letters
from core.transfer.preparation import letters_of

LABELS = ("psi", "a ❤/b")


@pytest.fixture(scope="module")
def captures():
    teaching = Teaching()
    for place, glyph in enumerate(draw_glyphs(["psi", "lambda"] * 3, seed=1)):
        teaching.take(LABELS[place % 2], glyph.astype(np.float32) / 255)
    return teaching.captures


def test_captures_become_a_letters_set_of_the_same_glyphs(captures):
    keep_as_letters(captures, " my stage ")
    kept = open_letters("my stage")
    assert sorted(kept.classes) == sorted(LABELS)
    glyphs = letters_of(kept).samples
    for label in LABELS:
        own = glyphs.images[glyphs.labels == glyphs.classes.index(label)].numpy()
        expected = [np.rint(capture.glyph * 255).astype(np.uint8) for capture in captures if capture.label == label]
        np.testing.assert_array_equal(own, expected)
    with pytest.raises(DataError, match="already"):
        keep_as_letters(captures, "MY stage")
    with pytest.raises(DataError, match="empty"):
        keep_as_letters(captures, "  ")
    assert list_letters() == ["my stage"]


def test_captures_become_a_network_that_reads_the_digits_too(captures, monkeypatch, data_or_skip):
    data_or_skip("MNIST/raw")
    monkeypatch.setattr(live_keeping, "EPOCHS", 4)
    monkeypatch.setattr(live_keeping, "METHOD", "head")
    job = start(LiveJob("report", captures, "from-the-stage"))
    job.join(240)
    assert (job.state, job.problem) == ("finished", "")
    assert job.progress == 1.0
    kept = open_network("from-the-stage")
    assert kept.passport.classes == (*"0123456789", *LABELS)
    assert job.attempt.forgetting is not None
    digits = draw_glyphs(list("0123456789"), seed=8).astype(np.float32) / 255
    assert np.mean(kept.logits(digits).argmax(1) == np.arange(10)) > 0.7
    own = np.stack([capture.glyph for capture in captures])
    assert kept.logits(own).argmax(1).min() >= 10


def test_what_cannot_be_kept_is_told_before_anything_is_learned(captures):
    with pytest.raises(NetworkError, match="digits"):
        LiveJob("report", captures, "digits")
    with pytest.raises(NetworkError, match="no name"):
        LiveJob("report", captures, "no/name")
