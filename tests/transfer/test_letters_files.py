"""Letters from and for other programs: pictures, ZIPs, the course's two CSV files; good, odd and hostile."""

import csv
import io
import zipfile

import cv2
import numpy as np
import pytest

from core.data.uploads import unpack_images
from core.errors import DataError
from core.transfer.glyphs import COURSE, OURS, STORED_PX
from core.transfer.letters_examples import course_letters, written_letters
from core.transfer.letters_files import read_csv, read_pictures, read_zip, write_csv, write_zip
from core.transfer.letters_set import MAX_LETTERS, Letter, LettersSet
from core.transfer.preparation import glyph_of, letters_of


@pytest.fixture(scope="module")
def letters() -> LettersSet:
    """Three pictures each of alpha and a class with an odd name."""
    odd = tuple(Letter("x/y, 😀", letter.png, "pen") for letter in written_letters(["psi"], 3, seed=2))
    return LettersSet("mine", written_letters(["alpha"], 3, seed=1) + odd)


def rows(count: int = 2, value: str = "0", width: int = 784) -> str:
    return "\n".join([",".join([value] * (width - 1) + ["255"])] * count) + "\n"


@pytest.mark.parametrize("preparation", [OURS, COURSE])
def test_the_csv_files_come_back_as_they_were(letters, preparation):
    intensities, categories = write_csv(letters, preparation)
    table = list(csv.reader(io.StringIO(intensities)))
    assert len(table) == 7
    assert {len(row) for row in table} == {784}
    assert np.array_equal(np.array(table[1], int), glyph_of(letters.letters[0].png, preparation).ravel())
    back = LettersSet("back", read_csv(intensities.encode(), categories.encode()))
    samples, again = letters_of(letters, preparation).samples, letters_of(back, preparation).samples
    assert again.classes == samples.classes == ("alpha", "x/y, 😀")
    assert (again.images == samples.images).all()
    assert (again.labels == samples.labels).all()


def test_the_course_s_own_way_comes_back_too(data_or_skip):
    data_or_skip("greek_train")
    course = LettersSet("course", course_letters())
    intensities, categories = write_csv(course, COURSE, numbers=True)
    assert categories.split()[:2] == ["category", "0"]
    assert categories.split()[-1] == "2"
    back = read_csv(intensities.encode(), categories.encode(), ("α", "beta", "gamma"))
    assert [letter.label for letter in back] == [letter.label for letter in course.letters]
    for was, letter in zip(course.letters, back, strict=True):
        assert (glyph_of(letter.png, COURSE) == glyph_of(was.png, COURSE)).all()


def test_files_of_other_programs_are_understood(letters):
    intensities, categories = write_csv(letters)
    body, names = intensities.split("\n", 1)[1], categories.split("\n", 1)[1]
    expected = read_csv(intensities.encode(), categories.encode())
    numbers = np.loadtxt(io.StringIO(body), delimiter=",")
    unit = io.StringIO()
    np.savetxt(unit, numbers / 255, delimiter=";", fmt="%.6f")
    numbered = "\n".join(f"{i},{row}" for i, row in enumerate(body.strip().split("\n")))
    numbered_names = ",category\n" + "\n".join(f"{i},{row}" for i, row in enumerate(names.strip().split("\n")))
    for values, labels in (
        (body, names),  # no header
        ("\ufeff" + body.replace(",", "\t"), names.replace("\n", "\r\n")),
        (body.replace(",", " "), names),
        (unit.getvalue().replace(".", ","), names),  # 0 to 1, decimal commas
        ("," + ",".join(map(str, range(784))) + "\n" + numbered, numbered_names),  # with pandas' row numbers
        (intensities.replace("\n", ",\n"), categories + "\n\n"),
    ):
        assert read_csv(values.encode(), labels.encode()) == expected


@pytest.mark.parametrize(
    ("intensities", "categories", "message"),
    [
        (rows(width=783), "a\nb", "783 values in row 1; each row needs 784"),
        (rows() + rows(1, width=785), "a\nb\nc", "785 values in row 3"),
        (rows(1) + rows(1).replace("0", "x", 1), "a\nb", "holds 'x' in row 2, column 1"),
        (rows(1, "nan") + rows(1), "a\nb", "holds 'nan' in row 1, column 1"),
        (rows(1) + rows(1).replace("255", "256"), "a\nb", "holds '256' in row 2, column 784"),
        (rows(1).replace("0", "-1", 1) + rows(1), "a\nb", "holds '-1' in row 1, column 1"),
        (rows(3), "a\nb", "2 rows, but there are 3"),
        (rows(2), "label\na\nb\nc", "3 rows, but there are 2"),
        (rows(2), "Label\na", "1 rows, but there are 2"),
        (rows(2), "a,b\nc,d", "has 2 columns"),
        (rows(2), "0\n3", "the number 3, but only 2 names were given"),
        ("", "a", "intensities is empty"),
        ("pixel\n", "a", "a header and no rows"),
        (rows(MAX_LETTERS + 1, width=2), "a", "holds 5,001 rows"),
        ("\0\1\2", "a", "no text file"),
        (rows(2), "a\n" + "b" * 41, "41 characters"),
    ],
)
def test_what_does_not_fit_is_told(intensities, categories, message):
    meanings = ("a", "b") if categories == "0\n3" else ()
    with pytest.raises(DataError, match=message):
        read_csv(intensities.encode(), categories.encode(), meanings)


def test_a_huge_table_is_refused_before_it_is_read():
    with pytest.raises(DataError, match="larger than 40 MB"):
        read_csv(b"0" * 40_000_001, b"a")


def test_a_zip_comes_back_here_and_in_train(letters):
    archive = write_zip(letters)
    back, notes = read_zip(archive, "mine.zip")
    assert {(x.label, x.png) for x in back} == {(x.label, x.png) for x in letters.letters}
    assert notes == ()
    assert archive == write_zip(letters)
    assert len(list(unpack_images(archive, "mine.zip").glob("*/*.png"))) == 6


def zipped(files: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()


def test_zips_by_others_are_read_with_what_is_wrong(letters):
    png = letters.letters[0].png
    found, notes = read_zip(zipped({"my set/α/one.png": png, "my set/ψ/two.png": b"broken"}), "set.zip")
    assert [(x.label, x.origin) for x in found] == [("alpha", "one.png")]
    assert len(notes) == 1
    assert notes[0].startswith("ψ/two.png is not a picture")
    found, notes = read_zip(zipped({"train/a/1.png": png, "test/a/2.png": png}), "set.zip")
    assert [x.origin for x in found] == ["1.png"]
    assert "Taken is the part train" in notes[0]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"../a/x.png": b"1"}, "would lie outside its folder"),
        ({"x.png": b"1"}, "set.zip holds no folders"),
        ({"a/x.png": b"1"}, "None of the 1 files in set.zip is a picture"),
        ({"a/x.bmp": b"\0" * 60_000_000}, "was not unpacked"),
    ],
)
def test_hostile_and_useless_zips_are_refused(files, message, inkling_home):
    with pytest.raises(DataError, match=message):
        read_zip(zipped(files), "set.zip")
    assert list((inkling_home / "datasets").iterdir()) == []


def test_pictures_become_letters_no_larger_than_needed():
    page = np.full((1200, 800, 3), 255, np.uint8)
    cv2.line(page, (300, 200), (500, 1000), (0, 0, 0), 60)
    jpeg = cv2.imencode(".jpg", page)[1].tobytes()
    found, problems = read_pictures([("line.jpg", jpeg), ("notes.txt", b"hello")], "iota")
    assert len(found) == 1
    assert found[0].origin == "line.jpg"
    assert found[0].label == "iota"
    kept = cv2.imdecode(np.frombuffer(found[0].png, np.uint8), cv2.IMREAD_UNCHANGED)
    assert kept.shape == (STORED_PX, round(STORED_PX * 800 / 1200))
    assert len(problems) == 1
    assert problems[0].startswith("notes.txt is not a picture")
