"""`folder:DIR`: glyphs of any pictures, a fair split, and a sentence for each folder that is no data set."""

import io
import os

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from core.data import load
from core.data.folder import glyph_of
from core.data.split import draw_test_part
from core.data.strokes import draw_glyphs
from core.errors import DataError

CORRUPT = b"\x89PNG\r\n\x1a\n" + b"\0" * 40


def as_rgb(grey: np.ndarray) -> np.ndarray:
    return np.repeat(grey[..., None], 3, axis=2)


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    """Correlation where they lie best on each other: glyphs are centred by whole pixels, so one may be a pixel off."""
    shifted = (np.roll(one, (dy, dx), (0, 1)) for dy in (-1, 0, 1) for dx in (-1, 0, 1))
    return max(float(np.corrcoef(glyph.ravel(), other.ravel())[0, 1]) for glyph in shifted)


@pytest.fixture(scope="module")
def eight() -> np.ndarray:
    """A glyph, `(28, 28) uint8`."""
    return draw_glyphs(["8"], seed=0)[0]


def test_a_folder_per_class(image_folder):
    folder = image_folder("symbols", twos=10, ones=5)
    train, test = load(f"folder:{folder}", "train"), load(f"folder:{folder}", "test")
    assert train.name == test.name == f"folder:{folder}"
    assert train.classes == test.classes == ("ones", "twos")  # sorted
    assert torch.bincount(train.labels).tolist() == [4, 8]
    assert torch.bincount(test.labels).tolist() == [1, 2]
    assert train.images.shape == (12, 28, 28)
    assert train.images.dtype == torch.uint8
    assert train.images.flatten(1).amax(dim=1).min() == 255  # the ink is bright
    assert train.images[:, 0].max() == 0  # on paper of 0
    assert train.notes == ()


def test_signs_that_no_folder_can_hold_are_written_as_in_addresses(image_folder):
    folder = image_folder("escaped", **{"a%2Fb ❤": 5, "100%": 5})
    assert load(f"folder:{folder}").classes == ("100%", "a/b ❤")


def test_the_two_parts_share_no_picture_and_miss_none(tmp_path):
    """Each picture is told by its own grey."""
    for label, greys in (("a", range(50, 90)), ("b", range(100, 117))):
        (tmp_path / label).mkdir()
        for grey in greys:
            glyph = np.zeros((28, 28), np.uint8)
            glyph[10:18, 10:18] = grey
            Image.fromarray(glyph).save(tmp_path / label / f"{grey}.png")
    parts = [load(f"folder:{tmp_path}", part).images.flatten(1).amax(dim=1).tolist() for part in ("train", "test")]
    assert sorted(parts[0] + parts[1]) == [*range(50, 90), *range(100, 117)]
    assert [len(part) for part in parts] == [32 + 14, 8 + 3]


@given(st.lists(st.integers(0, 4), max_size=80))
def test_the_split_is_stratified_and_always_the_same(labels):
    labels = np.array(labels, int)
    chosen = draw_test_part(labels)
    np.testing.assert_array_equal(chosen, draw_test_part(labels))
    for label in set(labels.tolist()):
        count, testing = (labels == label).sum(), chosen[labels == label].sum()
        assert testing == (0 if count == 1 else max(1, round(count / 5)))


def test_train_and_test_folders_are_the_parts(image_folder):
    folder = image_folder("symbols/train", ones=3, twos=4)
    image_folder("symbols/test", ones=2, threes=1)
    image_folder("symbols/validation", ones=1)
    folder = folder.parent
    train, test = load(f"folder:{folder}", "train"), load(f"folder:{folder}", "test")
    assert torch.bincount(train.labels).tolist() == [3, 4]
    assert test.labels.tolist() == [0, 0]
    assert test.classes == ("ones", "twos")
    assert train.notes == (
        "Beside train and test, these folders were left out: validation.",
        "Classes that stand in test only were left out: threes.",
    )


def test_classes_named_train_and_test_are_classes(image_folder):
    assert load(f"folder:{image_folder('stations', train=3, test=3)}").classes == ("test", "train")


def test_exported_glyphs_come_back_bit_for_bit(tmp_path, data_or_skip):
    data_or_skip("FashionMNIST/raw/t10k-images-idx3-ubyte")
    clothes = load("fashion-mnist", "test").take(torch.arange(100))
    for number, (image, label) in enumerate(zip(clothes.images, clothes.labels, strict=True)):
        for part in ("train", "test"):
            file = tmp_path / part / f"{label}" / f"{number:03}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image.numpy()).save(file)
    back = load(f"folder:{tmp_path}", "test")
    order = torch.argsort(clothes.labels, stable=True)
    assert torch.equal(back.images, clothes.images[order])
    assert torch.equal(back.labels, clothes.labels[order])


@pytest.mark.parametrize(
    ("paper", "ink"),
    [(paper, ink) for paper in (255, 200, 128, 60, 0) for ink in (255, 128, 0) if abs(paper - ink) > 50],
)
@pytest.mark.parametrize("scale", [2, 7, 30])
def test_paper_ink_and_size_do_not_matter(eight, paper, ink, scale):
    large = cv2.resize(eight, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC).astype(float) / 255
    picture = (paper + (ink - paper) * np.pad(large, ((0, 30), (20, 0)))).round().astype(np.uint8)
    assert likeness(glyph_of(as_rgb(picture)), eight) > 0.93


def test_colour_is_ink_too(eight):
    """Yellow on white has hardly a contrast in grey."""
    large = cv2.resize(eight, None, fx=5, fy=5)[..., None] / 255
    picture = 255 - large * (255 - np.array([250, 240, 60]))
    assert likeness(glyph_of(picture.astype(np.uint8)), eight) > 0.93


def test_light_that_falls_off_across_the_page_is_not_ink(eight):
    large = 1 - 0.8 * cv2.resize(eight, None, fx=6, fy=6) / 255
    light = np.linspace(250, 120, large.shape[1])
    noise = np.random.default_rng(0).normal(0, 3, large.shape)
    picture = np.clip(large * light + noise, 0, 255).astype(np.uint8)
    assert likeness(glyph_of(as_rgb(picture)), eight) > 0.9


def test_dust_is_not_ink(eight):
    picture = 255 - cv2.resize(eight, None, fx=6, fy=6)
    rng = np.random.default_rng(0)
    picture[rng.integers(0, 168, 12), rng.integers(0, 168, 12)] = 80
    assert likeness(glyph_of(as_rgb(picture)), eight) > 0.9


def test_filled_shapes_stay_filled():
    picture = np.full((200, 300), 240, np.uint8)
    picture[30:170, 60:240] = 90
    glyph = glyph_of(as_rgb(picture))
    assert (glyph > 200).sum() == pytest.approx(20 * round(20 * 140 / 180), abs=40)


@given(arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40), st.just(3))))
@settings(max_examples=200, deadline=None)
def test_any_picture_gives_a_glyph_or_none(picture):
    glyph = glyph_of(picture)
    assert glyph is None or (glyph.shape == (28, 28) and glyph.dtype == np.uint8 and glyph.any())


@pytest.mark.parametrize("shape", [(28, 28), (100, 100), (1, 1), (1, 500), (2, 2)])
@pytest.mark.parametrize("grey", [0, 130, 255])
def test_blank_paper_gives_none(shape, grey):
    assert glyph_of(np.full((*shape, 3), grey, np.uint8)) is None


def test_what_is_no_picture_is_named_skipped_and_counted(image_folder, png):
    folder = image_folder("symbols", ones=6, twos=6)
    (folder / "ones" / "0.png").write_bytes(CORRUPT)
    (folder / "ones" / "1.png").write_bytes(png()[:-30])
    (folder / "twos" / "notes.txt").write_text("not a picture")
    (folder / "twos" / "void.png").write_bytes(b"")
    (folder / "twos" / "white.png").write_bytes(png(ink=255))
    train, test = load(f"folder:{folder}", "train"), load(f"folder:{folder}", "test")
    assert len(train) + len(test) == 10
    assert train.notes == test.notes
    assert train.notes == (
        "5 of 15 files are damaged, blank or no pictures and were skipped: ones/0.png, ones/1.png, twos/notes.txt and "
        "2 more.",
    )


def test_what_systems_leave_lying_about_is_passed_over_in_silence(image_folder):
    folder = image_folder("symbols", ones=3, twos=3, __MACOSX=2, **{".hidden": 2})
    (folder / "ones" / ".DS_Store").write_bytes(b"\0")
    (folder / "ones" / "._0.png").write_bytes(b"\0")
    (folder / "ones" / "Thumbs.db").write_bytes(b"\0")
    (folder / "labels.csv").write_text("beside the folders")
    samples = load(f"folder:{folder}")
    assert samples.classes == ("ones", "twos")
    assert samples.notes == ()


def test_empty_classes_are_left_out_and_named(image_folder):
    folder = image_folder("symbols", ones=3, twos=3, threes=0, fours=1)
    (folder / "fours" / "0.png").write_bytes(CORRUPT)
    samples = load(f"folder:{folder}")
    assert samples.classes == ("ones", "twos")
    assert samples.notes[-1] == "Classes without a readable picture to train on were left out: fours, threes."


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({"ones": 3}, r"holds pictures of one class only \(ones\); give at least two class folders"),
        ({"ones": 3, "twos": 0}, r"holds pictures of one class only \(ones\)"),
        ({"ones": 0, "twos": 0}, "are empty; put pictures into them"),
        ({"ones": 1, "twos": 1}, "leaves no picture for testing; give at least one class two pictures"),
    ],
)
def test_folders_with_too_little_are_told(image_folder, counts, message):
    with pytest.raises(DataError, match=message) as error:
        load(f"folder:{image_folder('symbols', **counts)}")
    assert "\n" not in str(error.value)


def test_folders_that_are_none_are_told(tmp_path, image_folder, monkeypatch):
    (tmp_path / "file").write_text("x")
    (tmp_path / "bare").mkdir()
    for place, message in (
        ("none", "none does not exist; give a folder that holds a folder of pictures for each class"),
        ("file", "file is a file; give a folder"),
        ("bare", "bare holds no folders; put the pictures of each class into a folder of its own"),
    ):
        with pytest.raises(DataError, match=message):
            load(f"folder:{tmp_path / place}")
    folder = image_folder("symbols", ones=4, twos=4)
    monkeypatch.setattr("core.data.folder.MAX_IMAGES", 7)
    with pytest.raises(DataError, match="holds more than 7 files; take fewer"):
        load(f"folder:{folder}")
    monkeypatch.setattr("core.data.folder.MAX_CLASSES", 1)
    with pytest.raises(DataError, match="holds 2 folders; at most 1 classes"):
        load(f"folder:{folder}", "test")


def test_too_many_pixels_are_told(image_folder, monkeypatch):
    """Pictures of plain paper pack so well that a small archive could keep a server busy for hours."""
    folder = image_folder("symbols", ones=4, twos=4)
    monkeypatch.setattr("core.data.folder.MAX_PIXELS", 8 * 60 * 80 - 1)
    with pytest.raises(DataError, match="have more than 38,399 pixels; save them smaller"):
        load(f"folder:{folder}")


def test_a_folder_of_nothing_readable_is_told(image_folder):
    folder = image_folder("symbols", ones=2, twos=2)
    for file in folder.glob("*/*"):
        file.write_bytes(CORRUPT)
    with pytest.raises(DataError, match="None of the 4 files in the class folders of .* is a picture that shows ink"):
        load(f"folder:{folder}")


def test_nothing_readable_for_testing_is_told(image_folder):
    folder = image_folder("symbols/train", ones=2, twos=2).parent
    for file in image_folder("symbols/test", ones=1).glob("*/*"):
        file.write_bytes(CORRUPT)
    with pytest.raises(DataError, match="leaves no picture for testing"):
        load(f"folder:{folder}")


def test_a_changed_folder_is_read_anew_and_an_unchanged_one_is_not(image_folder, png):
    folder = image_folder("symbols", ones=3, twos=3)
    name = f"folder:{folder}"
    first = load(name)
    assert load(name) is first
    (folder / "ones" / "new.png").write_bytes(png(9))
    assert len(load(name)) == len(first) + 1
    (folder / "ones" / "new.png").unlink()
    assert len(load(name)) == len(first)
    corner = png(40, size_wh=(40, 30))  # the stroke's lower part is cut off
    newest = max(file.stat().st_mtime_ns for file in folder.rglob("*"))
    for file in (folder / "ones").iterdir():
        file.write_bytes(corner)
        os.utime(file, ns=(newest + 10**9, newest + 10**9))  # a clock may be coarser than two writes
    assert load(name).sha256 != first.sha256


def test_all_formats_a_browser_shows(tmp_path, png):
    image = Image.open(io.BytesIO(png()))
    for label in ("a", "b"):
        (tmp_path / label).mkdir()
        for file_format in ("png", "jpeg", "webp", "bmp", "gif"):
            image.save(tmp_path / label / f"x.{file_format}")
    parts = [load(f"folder:{tmp_path}", part) for part in ("train", "test")]
    assert [len(part) for part in parts] == [8, 2]
    images = torch.cat([part.images for part in parts]).numpy()
    assert all(likeness(image, images[0]) > 0.97 for image in images)


def test_real_letters_become_centred_glyphs(data_or_skip):
    samples = load(f"folder:{data_or_skip('greek_train')}")
    assert samples.classes == ("alpha", "beta", "gamma")
    assert torch.bincount(samples.labels).tolist() == [7, 7, 7]
    for glyph in samples.images.numpy():
        rows, columns = np.nonzero(glyph > 5)
        assert 18 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 20
        weights = glyph / glyph.sum(dtype=float)
        ys, xs = np.indices(glyph.shape)
        np.testing.assert_allclose([(ys * weights).sum(), (xs * weights).sum()], 13.5, atol=0.8)
