"""The user's own digits: read from one sheet or ten drawings, kept whole, and a fair score for every network."""

import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from core.data.sheets import Sheet, draw_sheet
from core.data.strokes import draw_glyphs
from core.errors import DataError, InklingError, NetworkError, PictureError
from core.networks.store import TrainedNetwork
from core.networks.trash import throw_away
from core.reading import open_recognizer
from core.reading.own_hand import (
    LABELS,
    add_own_hand,
    clear_own_hand,
    list_own_hand,
    list_removed,
    load_own_hand,
    read_sheet,
    read_single,
    remove_own_hand,
    score_own_hand,
    undo_own_hand,
)

BLANK = np.full((300, 400, 3), 255, np.uint8)


def digits(labels: str = "0123456789", seed: int = 5) -> list[np.ndarray]:
    return list(draw_glyphs(list(labels), seed).astype(np.float32) / 255)


def drawing(label: str, seed: int = 3) -> np.ndarray:
    return draw_sheet(Sheet((label,), seed=seed, size_wh=(320, 320)))


@pytest.mark.parametrize("rows", [("0123456789",), ("01234", "56789"), ("012", "3456", "789")])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_sheet_is_read_in_order(rows, seed):
    sheet = draw_sheet(Sheet(rows, seed=seed, size_wh=(960, 240 * len(rows))))
    glyphs = read_sheet(sheet)
    probabilities, _ = open_recognizer("digits").classify(np.stack(glyphs))
    assert list(probabilities.argmax(axis=1)) == list(range(10))


@pytest.mark.parametrize(
    ("rows", "found"), [(("012345678",), 9), (("01234", "567890"), 11), (("5",), 1), ((" ",), None)]
)
def test_a_sheet_with_more_or_fewer_symbols_is_refused_with_their_number(rows, found):
    sheet = BLANK if found is None else draw_sheet(Sheet(rows, seed=1, size_wh=(960, 420)))
    with pytest.raises(PictureError, match=rf"^{found or 0} symbols were found, but 10 are expected \(0123456789 in"):
        read_sheet(sheet)


def test_other_sheets_may_be_expected():
    assert len(read_sheet(draw_sheet(Sheet(("42",), seed=1)), expected="42")) == 2


def test_what_cannot_be_used_is_counted_apart():
    sheet = draw_sheet(Sheet(("01234", "56789"), seed=1, size_wh=(640, 420)))
    halves = sheet[:, : sheet.shape[1] // 2 + 20].copy()
    halves = halves[:, 60:]  # through the first column's digits
    with pytest.raises(PictureError, match=r"^\d symbols were found, and \d that cannot be used, but 10 are expected"):
        read_sheet(halves)


@pytest.mark.parametrize("image", [np.zeros((0, 0, 3), np.uint8), BLANK, np.zeros((1, 1), np.uint8)])
def test_pictures_without_symbols_are_refused(image):
    with pytest.raises(PictureError, match="^0 symbols were found"):
        read_sheet(image)
    with pytest.raises(PictureError, match="^No symbol was found: the picture is empty; write one digit"):
        read_single(image)


@pytest.mark.parametrize("label", LABELS)
def test_a_drawing_is_read_as_its_symbol(label):
    probabilities, _ = open_recognizer("digits").classify(read_single(drawing(label))[None])
    assert LABELS[probabilities[0].argmax()] == label


def test_of_several_symbols_the_largest_counts():
    sheet = np.full((400, 400, 3), 255, np.uint8)
    small, large = drawing("3"), drawing("8")
    sheet[:320, 80:] = large
    paper = np.median(large, axis=(0, 1)).astype(np.uint8)
    sheet[320:], sheet[:, :80] = paper, paper
    sheet[320:, :80] = small[::4, ::4]
    probabilities, _ = open_recognizer("digits").classify(read_single(sheet)[None])
    assert probabilities[0].argmax() == 8


def test_what_is_kept_comes_back_in_order(inkling_home):
    first, second = digits(seed=1), digits("37", seed=2)
    names = add_own_hand(LABELS, first) + add_own_hand(["3", "7"], second)
    samples = list_own_hand()
    assert [s.name for s in samples] == names
    assert [s.label for s in samples] == [*LABELS, "3", "7"]
    np.testing.assert_allclose(np.stack([s.glyph for s in samples]), np.stack(first + second), atol=0.5 / 255)
    own = load_own_hand()
    assert own is not None
    assert (own.name, own.part, own.classes, own.notes) == ("own-hand", "test", LABELS, ())
    assert own.labels.tolist() == [*range(10), 3, 7]
    np.testing.assert_array_equal(own.images.numpy()[11], np.rint(second[1] * 255).astype(np.uint8))
    assert own.inputs.shape == (12, 28, 28)
    assert len(list((inkling_home / "own-hand").glob("[0-9]/*.png"))) == 12


def test_there_is_nothing_at_first():
    assert list_own_hand() == []
    assert load_own_hand() is None
    assert score_own_hand(open_recognizer("digits")) is None
    with pytest.raises(DataError, match="Your own test set is empty"):
        clear_own_hand()


GOOD = digits("5")[0]


@pytest.mark.parametrize(
    ("labels", "glyphs", "error", "sentence"),
    [
        (["5"], [], DataError, "0 glyphs came with 1 labels"),
        (["5", "x"], [GOOD, GOOD], DataError, "'x' is no digit"),
        (["5", "../../5"], [GOOD, GOOD], DataError, "is no digit"),
        (["5", ""], [GOOD, GOOD], DataError, "'' is no digit"),
        (["5", "10"], [GOOD, GOOD], DataError, "'10' is no digit"),
        (["5", "5"], [GOOD, GOOD[:20]], PictureError, r"is \(28, 28\) float, not \(20, 28\) float32"),
        (["5", "5"], [GOOD, (GOOD * 255).astype(np.uint8)], PictureError, "not .* uint8"),
        (["5", "5"], [GOOD, GOOD * np.nan], PictureError, "empty or out of range"),
        (["5", "5"], [GOOD, GOOD * 255], PictureError, "empty or out of range"),
        (["5", "5"], [GOOD, GOOD - 0.5], PictureError, "empty or out of range"),
        (["5", "5"], [GOOD, GOOD * 0], PictureError, "empty or out of range"),
    ],
)
def test_all_are_kept_or_none(inkling_home, labels, glyphs, error, sentence):
    with pytest.raises(error, match=sentence):
        add_own_hand(labels, glyphs)
    assert list(inkling_home.rglob("*.png")) == []


@pytest.mark.parametrize("before", [0, 3])
def test_a_full_disk_keeps_what_was_there(inkling_home, monkeypatch, before):
    add_own_hand(["1"] * before, digits("1" * before) if before else [])
    left = iter(range(4))

    def fsync(_: int) -> None:
        if next(left, None) is None:
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        with pytest.raises(NetworkError, match=r"^The disk is full: nothing was saved in .*own-hand"):
            add_own_hand(LABELS, digits())
    assert len(list_own_hand()) == before
    assert [f.name for f in inkling_home.iterdir()] == ["own-hand"]


def png(pixels: np.ndarray, **options) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG", **options)
    return out.getvalue()


def with_text() -> bytes:
    text = PngImagePlugin.PngInfo()
    text.add_text("long", "x" * 60_000)
    return png(np.zeros((28, 28), np.uint8), pnginfo=text)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80\x04K\x01.",
        png(np.zeros((28, 28), np.uint8))[:50],
        png(np.zeros((28, 28, 3), np.uint8)),
        png(np.zeros((3000, 3000), np.uint8)),
        with_text(),
    ],
    ids=["empty", "pickle", "truncated", "colours", "large", "long text"],
)
def test_files_that_are_no_glyphs_are_left_out_and_counted(inkling_home, content):
    add_own_hand(["4"], digits("4"))
    (inkling_home / "own-hand" / "4" / "0-bad.png").write_bytes(content)
    (inkling_home / "own-hand" / "notes.txt").write_text("mine")
    own = load_own_hand()
    assert own is not None
    assert own.labels.tolist() == [4]
    assert own.notes == ("1 damaged files were left out.",)
    clear_own_hand()
    assert load_own_hand() is None


def test_what_is_removed_comes_back(inkling_home):
    names = add_own_hand(LABELS, digits())
    before = [s.name for s in list_own_hand()]
    token = remove_own_hand([names[2], names[7]])
    assert [s.label for s in list_own_hand()] == list("01345689")
    assert list_removed()[0].names == (names[2], names[7])
    undo_own_hand(token)
    assert [s.name for s in list_own_hand()] == before
    with pytest.raises(InklingError, match="no longer in the trash"):
        undo_own_hand(token)


def test_a_new_start_can_be_undone_beside_what_came_since():
    add_own_hand(LABELS, digits(seed=1))
    token = clear_own_hand()
    assert load_own_hand() is None
    add_own_hand(["6"], digits("6"))
    undo_own_hand(token)
    assert sorted(s.label for s in list_own_hand()) == sorted([*LABELS, "6"])


@pytest.mark.parametrize("name", ["4/none.png", "../../passport.json", "4/../../x.png", "", "4"])
def test_only_own_digits_can_be_removed(inkling_home, name):
    (kept,) = add_own_hand(["4"], digits("4"))
    (inkling_home / "passport.json").write_text("{}")
    (inkling_home / "x.png").write_text("")
    with pytest.raises(DataError, match="not in your own test set any more"):
        remove_own_hand([kept, name])
    assert [s.name for s in list_own_hand()] == [kept]
    assert (inkling_home / "passport.json").exists()


def test_a_networks_place_in_the_trash_is_not_emptied_by_digits(inkling_home):
    (inkling_home / "networks" / "mine").mkdir(parents=True)
    token = throw_away([inkling_home / "networks" / "mine"], inkling_home / "networks", "network")
    with pytest.raises(InklingError, match="no longer in the trash"):
        undo_own_hand(token)
    assert (inkling_home / "trash" / token / "mine").is_dir()


def test_the_score_is_what_the_network_reads():
    """A 1 labelled as 7 must count as wrong, whatever else is right."""
    recognizer = open_recognizer("digits")
    glyphs = [*digits(seed=1), digits("1", seed=1)[0]]
    add_own_hand([*LABELS, "7"], glyphs)
    score = score_own_hand(recognizer)
    assert score is not None
    assert score.labels == (*LABELS, "7")
    assert score.predictions == (*LABELS, "1")
    assert (score.right, score.of, score.accuracy) == (10, 11, pytest.approx(10 / 11))
    assert score.interval == pytest.approx((0.6226, 0.9838), abs=1e-3)  # Wilson's, worked out by hand
    test_accuracy = recognizer.network.passport.metrics["test_accuracy"]
    assert score.gap_points == pytest.approx(100 * (test_accuracy - 10 / 11))
    assert score.glyphs.shape == (11, 28, 28)
    np.testing.assert_allclose(score.glyphs, np.stack(glyphs), atol=0.5 / 255)
    probabilities, scores = recognizer.classify(score.glyphs)
    np.testing.assert_array_equal(score.confidences, probabilities.max(axis=1))
    np.testing.assert_array_equal(score.refused, scores < recognizer.threshold)


def test_what_the_network_refuses_is_said():
    noise = np.random.default_rng(0).random((28, 28), np.float32)
    add_own_hand(["0", "1"], [noise, digits("1")[0]])
    score = score_own_hand(open_recognizer("digits"))
    assert score is not None
    assert score.refused.tolist() == [True, False]


def relabelled(tmp_path: Path, **changes) -> TrainedNetwork:
    """The shipped `report` with another passport."""
    from core.networks.passport import parse_passport

    network = open_recognizer("report").network
    passport = parse_passport(json.dumps(network.passport.to_json() | changes).encode())
    return TrainedNetwork(passport, network.folder)


def test_classes_are_compared_by_name_and_a_passport_need_not_know_its_accuracy(tmp_path):
    from core.reading import Recognizer

    add_own_hand(LABELS, digits(seed=1))
    score = score_own_hand(Recognizer(relabelled(tmp_path, classes=list("9876543210"), metrics={})))
    assert score is not None
    assert score.predictions == tuple("9876543210")
    assert score.right == 0
    assert score.gap_points is None


def test_a_network_without_digits_has_no_score(tmp_path):
    from core.reading import Recognizer

    add_own_hand(["1"], digits("1"))
    letters = Recognizer(relabelled(tmp_path, classes=["0", *"αβγδεζηθι"]))
    with pytest.raises(
        NetworkError, match="does not know 1, 2, .* 9; the own hand needs one that reads all ten digits"
    ):
        score_own_hand(letters)
