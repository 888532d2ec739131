"""Letters sets on disk: labels of any script, order and origins, damage, changes that break off, the trash."""

import numpy as np
import pytest

from core.errors import DataError, InklingError
from core.transfer import letters_store
from core.transfer.glyphs import png_of
from core.transfer.letters import read_letters
from core.transfer.letters_examples import written_letters
from core.transfer.letters_names import as_folder, as_folders, from_folder
from core.transfer.letters_set import MAX_LETTERS, Letter, LettersSet, as_label
from core.transfer.letters_store import (
    as_name,
    delete_letters,
    discard_damaged,
    folder_of,
    free_letters_name,
    list_letters,
    open_letters,
    open_stored,
    rename_letters,
    save_letters,
    undelete_letters,
)
from core.transfer.preparation import glyph_of

LABELS = ("alpha", "a b", "x/y\\z", "Ζ", "😀", "👩‍🔬", "..", "50%", "con", "a", "A", " ".join("abc"), "<i>*?|\"'")


@pytest.fixture(scope="module")
def pictures() -> list[bytes]:
    return [letter.png for letter in written_letters(["alpha", "beta"], 13, seed=3)]


def letters_set(pictures, labels=LABELS, name="mine") -> LettersSet:
    return LettersSet(name, tuple(Letter(label, pictures[i], f"scan {i}.png") for i, label in enumerate(labels)))


def test_labels_names_order_and_origins_come_back(pictures):
    kept = letters_set(pictures, name="Μαρία's letters / 😀")
    save_letters(kept)
    assert list_letters() == ["Μαρία's letters / 😀"]
    assert open_letters(kept.name) == kept
    moved = LettersSet(kept.name, kept.letters[::-1][:9])
    save_letters(moved)
    assert open_letters(kept.name) == moved
    assert len([f for f in folder_of(kept.name).rglob("*") if f.is_file()]) == 9


def test_folders_are_readable_and_stay_inside(pictures):
    folders = as_folders(LABELS)
    assert folders["alpha"] == "alpha"
    assert folders["Ζ"] == "Ζ"
    assert folders["😀"] == "😀"
    assert folders["a b"] == "a b"
    assert len({folder.casefold() for folder in folders.values()}) == len(LABELS)
    for label, folder in folders.items():
        assert from_folder(folder) == label
        assert not set('/\\:*?"<>|') & set(folder)
        assert not folder.startswith(".")
        assert folder.isprintable()
    with pytest.raises(DataError, match="too long"):
        as_folder("/" * 100)


def test_the_command_line_reads_a_stored_set(pictures):
    save_letters(letters_set(pictures))
    read = read_letters(folder_of("mine"))
    assert sorted(read.samples.classes) == sorted(LABELS)
    by_label = {
        read.samples.classes[i]: image.numpy()
        for i, image in zip(read.samples.labels, read.samples.images, strict=True)
    }
    assert all((by_label[label] == glyph_of(pictures[i])).all() for i, label in enumerate(LABELS))


@pytest.mark.parametrize(
    ("typed", "label"),
    [("α", "alpha"), (" Alpha ", "alpha"), ("ς", "sigma"), ("Α", "Α"), ("a\tb", "a b"), ("e\u0301", "é"), ("7", "7")],
)
def test_what_people_type_becomes_a_label(typed, label):
    assert as_label(typed) == label


def test_what_can_be_no_label_or_name_is_told():
    with pytest.raises(DataError, match="The label is empty"):
        as_label("  ")
    with pytest.raises(DataError, match="41 characters"):
        as_label("x" * 41)
    with pytest.raises(DataError, match="cannot be shown"):
        as_label("a\0b")
    with pytest.raises(DataError, match="Only the examples"):
        as_name("example: mine")


def test_damaged_files_are_told_and_survive_a_change(pictures):
    save_letters(letters_set(pictures, ("alpha", "beta", "beta")))
    folder = folder_of("mine")
    broken = next((folder / "alpha").iterdir())
    broken.write_bytes(pictures[0][:60])
    (folder / "beta" / "notes.txt").write_text("no picture")
    by_hand = folder / "γ" / "mine.png"
    by_hand.parent.mkdir()
    by_hand.write_bytes(png_of(np.full((900, 500, 3), 255, np.uint8)))
    stored = open_stored("mine")
    assert [(x.label, x.origin) for x in stored.letters.letters] == [
        ("beta", "scan 1.png"), ("beta", "scan 2.png"), ("gamma", "mine.png"),
    ]  # fmt: skip
    assert stored.damaged == (f"alpha/{broken.name}", "beta/notes.txt")
    save_letters(stored.letters)
    again = open_stored("mine")
    assert again == stored
    assert not by_hand.exists()
    discard_damaged("mine")
    assert open_stored("mine").damaged == ()
    assert open_letters("mine") == stored.letters


def test_a_change_that_breaks_off_loses_nothing(pictures, monkeypatch):
    before = letters_set(pictures, ("alpha", "beta", "gamma"))
    save_letters(before)
    written = []

    def fails(file, content):
        if written:
            raise OSError(28, "No space left on device")
        written.append(file)
        write(file, content)

    write = letters_store.write_atomically
    monkeypatch.setattr(letters_store, "write_atomically", fails)
    with pytest.raises(DataError, match="disk is full"):
        save_letters(before.relabelled(frozenset(x.id for x in before.letters), "delta"))
    left = open_letters("mine").letters
    assert {x.id for x in before.letters} <= {x.id for x in left}


def test_unchanged_pictures_are_not_written_again(pictures, monkeypatch):
    kept = letters_set(pictures, ("alpha", "beta"))
    save_letters(kept)
    new = Letter("gamma", pictures[5], "new")
    written = []
    write = letters_store.write_atomically
    monkeypatch.setattr(
        letters_store, "write_atomically", lambda file, content: (written.append(content), write(file, content))
    )
    save_letters(LettersSet("mine", (new, *kept.letters)))
    assert written == [new.png]
    assert open_letters("mine").classes == ("gamma", "alpha", "beta")


def test_sets_are_renamed_deleted_and_put_back(pictures):
    kept = letters_set(pictures)
    save_letters(kept)
    save_letters(letters_set(pictures, ("alpha",), "Other"))
    assert free_letters_name("Mine") == "Mine 2"
    assert free_letters_name("new") == "new"
    with pytest.raises(DataError, match="'other' already"):
        rename_letters("mine", "other")
    assert rename_letters("mine", " mine: β ") == "mine: β"
    assert open_letters("mine: β").letters == kept.letters
    token = delete_letters("mine: β")
    assert list_letters() == ["Other"]
    with pytest.raises(DataError, match="There is no letters set 'mine: β'; there are: Other"):
        open_letters("mine: β")
    assert undelete_letters(token) == "mine: β"
    assert open_letters("mine: β").letters == kept.letters
    with pytest.raises(InklingError, match="no longer in the trash"):
        undelete_letters(token)


def test_sets_have_limits(pictures):
    many = tuple(Letter("alpha", str(i).encode(), "") for i in range(MAX_LETTERS + 1))
    with pytest.raises(DataError, match="at most 5,000 pictures, not 5,001"):
        save_letters(LettersSet("mine", many))
    classes = tuple(Letter(f"l{i}", pictures[0], "") for i in range(201))
    with pytest.raises(DataError, match="at most 200 different letters, not 201"):
        save_letters(LettersSet("mine", classes))
    assert list_letters() == []


def test_a_shelf_that_cannot_be_written_is_told(pictures, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("INKLING_HOME", str(tmp_path / "file"))
    with pytest.raises(DataError, match="cannot be written"):
        save_letters(letters_set(pictures))
    assert list_letters() == []
