"""Uploads: what is good is kept under a name of its own; what is hostile is refused and leaves nothing anywhere."""

import io
import stat
import struct
import zipfile
from pathlib import Path

import pytest
import torch

from core.data import load
from core.data.uploads import keep_table, list_uploads, unpack_images
from core.errors import DataError


def zipped(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def special(kind: int, target: str = "/etc/passwd") -> bytes:
    """An archive with an entry that Unix would unpack as a link or a device."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        entry = zipfile.ZipInfo("ones/0.png")
        entry.create_system = 3  # Unix
        entry.external_attr = (kind | 0o777) << 16
        archive.writestr(entry, target)
    return out.getvalue()


@pytest.fixture
def pictures(png) -> dict[str, bytes]:
    """Names and contents of a good image folder."""
    return {f"{label}/{number}.png": png(number) for label in ("ones", "twos") for number in range(5)}


@pytest.fixture
def nothing_kept(inkling_home):
    """After the test there is no file in Inkling's home, nor beside it."""
    beside = set(inkling_home.parent.rglob("*"))
    yield
    kept = [path for path in inkling_home.rglob("*") if path != inkling_home / "datasets"]
    assert kept == []
    assert set(inkling_home.parent.rglob("*")) - beside <= {inkling_home / "datasets"}
    assert list_uploads() == []


def test_an_uploaded_folder_is_a_data_set(pictures, inkling_home):
    place = unpack_images(zipped(pictures), "My symbols.zip")
    assert place == inkling_home / "datasets" / "My-symbols"
    assert {str(file.relative_to(place)) for file in place.rglob("*.png")} == set(pictures)
    assert all((place / name).read_bytes() == content for name, content in pictures.items())
    train, test = load(f"folder:{place}", "train"), load(f"folder:{place}", "test")
    assert (train.classes, len(train), len(test)) == (("ones", "twos"), 8, 2)
    assert list_uploads() == [f"folder:{place}"]
    assert [path.name for path in place.parent.iterdir()] == ["My-symbols"]  # the workplace is gone


@pytest.mark.parametrize("wrapping", ["symbols/", "a/b/c/"])
def test_folders_round_it_all_are_taken_off(pictures, wrapping):
    packed = zipped({wrapping + name: content for name, content in pictures.items()})
    place = unpack_images(packed, "x")
    assert sorted(path.name for path in place.iterdir()) == ["ones", "twos"]


def test_a_mac_s_leavings_are_not_unpacked(pictures):
    files = {f"symbols/{name}": content for name, content in pictures.items()}
    extra = {"__MACOSX/symbols/ones/._0.png": b"\0", "symbols/.DS_Store": b"\0", "symbols/ones/Icon\r": b""}
    place = unpack_images(zipped(files | extra), "x")
    assert {str(file.relative_to(place)) for file in place.rglob("*") if file.is_file()} == set(pictures)


def test_train_and_test_stay_the_parts(pictures):
    files = {f"all/{part}/{name}": content for part in ("train", "test") for name, content in pictures.items()}
    place = unpack_images(zipped(files), "x")
    assert torch.bincount(load(f"folder:{place}", "test").labels).tolist() == [5, 5]


def test_an_archive_made_on_windows(pictures):
    """Some programs write backslashes."""
    packed = zipped({name.replace("/", "|"): content for name, content in pictures.items()}).replace(b"s|", b"s\\")
    place = unpack_images(packed, "x")
    assert load(f"folder:{place}").classes == ("ones", "twos")


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("letters.ZIP", "letters"),
        ("../../evil", "evil"),
        ("/etc/passwd", "etc-passwd"),
        ("C:\\temp\\x.zip", "C-temp-x"),
        ("αβγ 1.zip", "αβγ-1"),
        ("...", "upload"),
        ("", "upload"),
        ("\0", "upload"),
        ("x" * 500, "x" * 60),
    ],
)
def test_names_are_made_safe(pictures, name, kept, inkling_home):
    assert unpack_images(zipped(pictures), name) == inkling_home / "datasets" / kept


def test_a_taken_name_gets_a_number(pictures, heart_file, heart_rows):
    packed = zipped(pictures)
    assert [unpack_images(packed, "x.zip").name for _ in range(3)] == ["x", "x-2", "x-3"]
    table = heart_file(heart_rows(10)).read_bytes()
    assert [keep_table(table, "x.csv").name for _ in range(2)] == ["x.csv", "x-2.csv"]
    assert [name.rsplit("/", 1)[1] for name in list_uploads()] == ["x", "x-2", "x-3", "x-2.csv", "x.csv"]


@pytest.mark.usefixtures("nothing_kept")
@pytest.mark.parametrize(
    "evil",
    [
        "../evil.png",
        "ones/../../evil.png",
        "/tmp/evil.png",
        "..\\evil.png",
        "ones\\..\\..\\evil.png",
        "C:\\evil.png",
        "C:evil.png",
        "\\\\server\\evil.png",
        "ones/..",
    ],
)
def test_paths_that_lead_out_are_refused(pictures, evil):
    with pytest.raises(DataError, match="which would lie outside its folder; nothing was unpacked"):
        unpack_images(zipped(pictures | {evil: b"evil"}), "x.zip")


@pytest.mark.usefixtures("nothing_kept")
@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK])
def test_links_and_devices_are_refused(kind):
    with pytest.raises(DataError, match="'ones/0.png', a link or a device; nothing was unpacked"):
        unpack_images(special(kind), "x.zip")


@pytest.mark.usefixtures("nothing_kept")
def test_a_hundred_thousand_files_are_refused():
    packed = zipped({f"ones/{number}.png": b"" for number in range(100_000)}, zipfile.ZIP_STORED)
    with pytest.raises(DataError, match="x.zip holds more than 80,000 files; nothing was unpacked"):
        unpack_images(packed, "x.zip")


@pytest.mark.usefixtures("nothing_kept")
@pytest.mark.parametrize("size_mb", [60, 1200])
def test_a_bomb_is_refused_by_its_directory(pictures, size_mb):
    out = io.BytesIO(zipped(pictures))
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("ones/big.bmp", "w") as entry:
        for _ in range(size_mb):
            entry.write(bytes(1_000_000))
    with pytest.raises(DataError, match=rf"would grow from [\d.]+ to {size_mb:,} MB and was not unpacked"):
        unpack_images(out.getvalue(), "x.zip")


@pytest.mark.usefixtures("nothing_kept")
@pytest.mark.parametrize("claimed", [0, 10, 15_000_000])
def test_a_bomb_that_lies_about_its_size_is_refused(pictures, claimed):
    """Both headers say that 30 MB of zeros are fewer."""
    content = bytes(30_000_000)
    packed = zipped(pictures | {"ones/big.bmp": content})
    assert packed.count(struct.pack("<I", len(content))) == 2
    lying = packed.replace(struct.pack("<I", len(content)), struct.pack("<I", claimed))
    with pytest.raises(DataError, match="x.zip is not a ZIP archive, or a damaged one|more than its directory says"):
        unpack_images(lying, "x.zip")


@pytest.mark.usefixtures("nothing_kept")
def test_more_than_was_promised_does_not_come_out(pictures, monkeypatch):
    """Even if the unpacking trusted the headers less than the directory."""
    promised = [5_000_000]
    monkeypatch.setattr(
        "core.data.uploads.sum", lambda sizes: promised.pop() if promised else sum(sizes), raising=False
    )
    with pytest.raises(DataError, match="x.zip holds more than its directory says"):
        unpack_images(zipped(pictures | {"ones/big.bmp": bytes(6_000_000)}), "x.zip")


@pytest.mark.usefixtures("nothing_kept")
def test_archives_that_are_none_are_refused(pictures):
    packed = zipped(pictures)
    damaged = bytearray(packed)
    damaged[60:80] = bytes(20)
    for content in (b"", b"not a ZIP", packed[: len(packed) // 2], packed[40:-30], bytes(damaged)):
        with pytest.raises(DataError, match="x.zip is not a ZIP archive, or a damaged one") as error:
            unpack_images(content, "x.zip")
        assert "\n" not in str(error.value)


@pytest.mark.usefixtures("nothing_kept")
def test_an_encrypted_archive_is_refused(pictures):
    packed = bytearray(zipped(pictures))
    place = 0
    while (place := packed.find(b"PK\x01\x02", place)) >= 0:  # the flag that says so, in each directory entry
        packed[place + 8] |= 1
        place += 4
    with pytest.raises(DataError, match="x.zip is encrypted; make the ZIP without a password"):
        unpack_images(bytes(packed), "x.zip")


@pytest.mark.usefixtures("nothing_kept")
@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_rare_compressions_are_refused(pictures, compression):
    """A bzip2 bomb grows a million times in one step."""
    with pytest.raises(DataError, match="compressed in a rare way"):
        unpack_images(zipped(pictures, compression), "x.zip")


@pytest.mark.usefixtures("nothing_kept")
def test_depths_that_would_exhaust_the_stack_are_refused():
    with pytest.raises(DataError, match="nests folders more than 8 deep"):
        unpack_images(zipped({"a/" * 2000 + "0.png": b""}), "x.zip")


@pytest.mark.usefixtures("nothing_kept")
@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "x.zip holds no files"),
        ({"ones/": b"", "twos/": b""}, "x.zip holds no files"),
        ({"__MACOSX/ones/0.png": b"", ".git/config": b""}, "x.zip holds no files"),
        ({"ones/a.txt": b"text", "twos/b.html": b"<html>"}, "None of the 2 files in the class folders of x.zip is"),
        ({"readme.txt": b"text"}, "x.zip holds no folders; put the pictures of each class into a folder"),
        ({"ones": b"file", "ones/0.png": b"in a file"}, r"cannot be kept in .* nothing was kept"),
        ({"ones/" + "x" * 300 + ".png": b"", "twos/0.png": b""}, r"cannot be kept in .*\(File name too long\)"),
    ],
)
def test_archives_of_anything_else_are_refused(files, message):
    with pytest.raises(DataError, match=message):
        unpack_images(zipped(files), "x.zip")


@pytest.mark.usefixtures("nothing_kept")
def test_one_class_is_refused(png):
    with pytest.raises(DataError, match=r"x.zip holds pictures of one class only \(ones\)"):
        unpack_images(zipped({f"wrapped/ones/{number}.png": png(number) for number in range(3)}), "x.zip")


@pytest.mark.usefixtures("nothing_kept")
def test_a_full_disk_leaves_nothing_behind(pictures, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(DataError, match=r"cannot be kept in .* \(No space left on device\); nothing was kept"):
        unpack_images(zipped(pictures), "x.zip")


@pytest.mark.usefixtures("nothing_kept")
def test_an_archive_too_large_is_refused_unopened(monkeypatch):
    monkeypatch.setattr("core.data.uploads.MAX_ARCHIVE_BYTES", 5_000_000)
    with pytest.raises(DataError, match="x.zip is larger than 5 MB"):
        unpack_images(bytes(5_000_001), "x.zip")


def test_a_damaged_picture_is_skipped_not_refused(pictures):
    place = unpack_images(zipped(pictures | {"ones/bad.png": b"\x89PNG"}), "x.zip")
    assert "1 of 11 files" in load(f"folder:{place}").notes[0]


def test_an_uploaded_table_is_a_data_set(heart_file, heart_rows, inkling_home):
    rows = heart_rows(20)
    place = keep_table(heart_file(rows).read_bytes(), "ward 7.csv")
    assert place == inkling_home / "datasets" / "ward-7.csv"
    assert list_uploads() == [f"heart:{place}"]
    assert torch.equal(load(f"heart:{place}").inputs, load(f"heart:{heart_file(rows)}").inputs)


@pytest.mark.usefixtures("nothing_kept")
@pytest.mark.parametrize(
    ("table", "message"),
    [
        (b"", "ward.csv is empty"),
        (b"Age,Sex\n1,M\n", "ward.csv lacks the columns ChestPainType"),
        (b"PK\x03\x04\xff", "ward.csv is not text"),
    ],
)
def test_a_table_that_is_none_is_refused_by_its_own_name(table, message):
    with pytest.raises(DataError, match=message):
        keep_table(table, "ward.csv")


def test_nothing_uploaded_is_no_error(inkling_home):
    assert list_uploads() == []
    assert list(inkling_home.iterdir()) == []
