"""Letters in files of others: pictures, a ZIP with a folder for each letter, and the course's two CSV files.

The CSV files are those of the classic course's embedding task: one holds 784 intensities a row (28×28, row by row, ink
bright), the other the category of each row; both begin with a header row. When read they may differ in all that
programs differ in: with or without a header or a column of row numbers, values to 1 or to 255, other separators.
"""

import csv
import io
import re
import zipfile
from collections.abc import Sequence
from pathlib import PurePath

import numpy as np

from core.data.folder import survey
from core.data.pictures import MAX_BYTES as MAX_PICTURE_BYTES
from core.data.pictures import decode_picture
from core.data.uploads import unpacked_images
from core.embedding.files import is_number
from core.errors import DataError, PictureError
from core.transfer.glyphs import OURS, SIZE, png_of, stored_picture
from core.transfer.letters_names import as_folders, from_folder, shortened
from core.transfer.letters_set import MAX_LETTERS, Letter, LettersSet, as_label, check_size
from core.transfer.preparation import letters_of

PIXELS = SIZE * SIZE
MAX_CSV_BYTES = 40_000_000  # the largest set with eight characters a number: 31 MB
SEPARATORS = ";\t,"  # a comma may also stand in numbers
HEADERS = ("category", "categories", "label", "labels", "class", "classes", "target", "letter", "symbol", "y")
SHOWN = 40  # characters of a wrong value that a message quotes

Read = tuple[tuple[Letter, ...], tuple[str, ...]]  # what could be read, and what is wrong with the rest


def letter_from(content: bytes, label: str, name: str) -> Letter:
    """A picture file as a letter, no larger than sets keep them; raises `PictureError` for what is no picture."""
    picture = stored_picture(decode_picture(content, name))
    return Letter(label, png_of(_grey_where_it_is(picture)), name)


def read_pictures(files: Sequence[tuple[str, bytes]], label: str) -> Read:
    """Picture files `(name, content)`, one symbol on each, all of the same letter."""
    letters, problems = [], []
    for name, content in files:
        try:
            letters.append(letter_from(content, label, name))
        except PictureError as error:
            problems.append(str(error))
    return tuple(letters), tuple(problems)


def read_zip(archive: bytes, name: str) -> Read:
    """A ZIP with a folder of pictures for each letter; raises `DataError` for what is none, or a hostile one.

    Where there are `train` and `test`, `train` is taken.
    """
    with unpacked_images(archive, name) as folder:
        try:
            parts, notes = survey(folder)
        except DataError as error:
            raise DataError(str(error).replace(str(folder), name)) from error
        if len(parts) == 2:
            notes.append("Taken is the part train; upload the part test as a set of its own.")
        files = [(from_folder(label), file) for label, found in parts[0].items() for file in found]
        if len(files) > MAX_LETTERS:
            raise DataError(f"{name} holds {len(files):,} files; a letters set holds at most {MAX_LETTERS:,}.")
        letters = []
        for label, file in files:
            shown = str(file.relative_to(folder))
            try:
                if file.stat().st_size > MAX_PICTURE_BYTES:
                    raise PictureError(f"{shown} is larger than {MAX_PICTURE_BYTES // 1_000_000} MB.")
                letters.append(letter_from(file.read_bytes(), as_label(label), shown))
            except (PictureError, DataError) as error:
                notes.append(str(error).replace(str(folder), name))
    if not letters:
        raise DataError(f"None of the {len(files):,} files in {name} is a picture. {notes[0] if notes else ''}".strip())
    return tuple(_with_own_names(letters)), tuple(notes)


def _with_own_names(letters: Sequence[Letter]) -> list[Letter]:
    """The same with the file's name alone for where it comes from, not the place of it that a stored set added."""
    return [
        Letter(letter.label, letter.png, re.sub(r"^\d{4,} |\.[0-9a-f]{16}(?=\.png$)", "", PurePath(letter.origin).name))
        for letter in letters
    ]


def write_zip(letters: LettersSet) -> bytes:
    """The set with a folder for each letter, as `read_zip`, Train and the command line take it."""
    folders = as_folders(letters.classes)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:  # pictures are compressed already
        for place, letter in enumerate(letters.letters, 1):
            name = f"{folders[letter.label]}/{place:04d} {shortened(letter.origin)}.{letter.id}.png"
            archive.writestr(zipfile.ZipInfo(name), letter.png)  # without the time: the same set is the same file
    return content.getvalue()


def write_csv(letters: LettersSet, preparation: str = OURS, numbers: bool = False) -> tuple[str, str]:
    """The intensities (0 to 255) and the categories, by their names or, as in the course, numbers from 0 on.

    Pictures without a symbol are left out; raises `DataError` where there is no other.
    """
    samples = letters_of(letters, preparation).samples
    intensities, categories = io.StringIO(), io.StringIO()
    values, names = csv.writer(intensities, lineterminator="\n"), csv.writer(categories, lineterminator="\n")
    values.writerow([f"pixel_{i}" for i in range(PIXELS)])
    names.writerow(["category"])
    for image, label in zip(samples.images.numpy(), samples.labels.tolist(), strict=True):
        values.writerow(image.ravel().tolist())
        names.writerow([label if numbers else samples.classes[label]])
    return intensities.getvalue(), categories.getvalue()


def read_csv(intensities: bytes, categories: bytes, meanings: Sequence[str] = ()) -> tuple[Letter, ...]:
    """The letters of the two files; where categories are numbers from 0 on, `meanings` names them in their order.

    Raises `DataError` for files that do not fit, with the row and the column.
    """
    values = _pixels(_rows(intensities, "The file of intensities", True))
    labels = _labels(_rows(categories, "The file of categories", False), len(values), meanings)
    letters = LettersSet(
        "",
        tuple(Letter(label, png_of(v), f"row {i}") for i, (label, v) in enumerate(zip(labels, values, strict=True), 1)),
    )
    check_size(letters)
    return letters.letters


def _rows(content: bytes, what: str, numbers: bool) -> list[list[str]]:
    """The cells of each row that is not empty."""
    if len(content) > MAX_CSV_BYTES:
        raise DataError(f"{what} is larger than {MAX_CSV_BYTES // 1_000_000} MB; save fewer rows.")
    if b"\0" in content[:1000]:
        raise DataError(f"{what} is no text file; save it as CSV.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    first = text[:20_000].strip().split("\n")[0]
    there = [separator for separator in SEPARATORS if separator in first] if numbers else []
    separator = there[0] if there else max(SEPARATORS, key=first.count)
    if numbers and separator == ";":
        text = re.sub(r"(?<=\d),(?=\d)", ".", text)  # a decimal comma
    if numbers and not there:
        rows = [line.split() for line in text.splitlines()]
    else:
        try:
            rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True))
        except csv.Error as error:
            raise DataError(f"{what} cannot be read as a table ({error}); save it as CSV.") from error
    rows = [[cell.strip() for cell in row] for row in rows]
    rows = [row[:-1] if len(row) > 1 and not row[-1] else row for row in rows if any(row)]
    if not rows:
        raise DataError(f"{what} is empty.")
    return rows


def _pixels(rows: list[list[str]]) -> np.ndarray:
    """`(N, 28, 28) uint8`."""
    what = "The file of intensities"
    header = _is_header(rows[0])
    body = rows[1:] if header else rows
    if not body:
        raise DataError(f"{what} holds a header and no rows; each row needs {PIXELS} intensities.")
    if len(body) > MAX_LETTERS:
        raise DataError(f"{what} holds {len(body):,} rows; a letters set holds at most {MAX_LETTERS:,}.")
    numbered = len(body[0]) == PIXELS + 1 and _counts([row[0] for row in body])
    for number, row in enumerate(body, 1 + header):
        if len(row) - numbered != PIXELS:
            raise DataError(
                f"{what} has {len(row) - numbered:,} values in row {number}; each row needs {PIXELS}, the pixels of a "
                f"{SIZE}×{SIZE} picture."
            )
    try:
        values = np.array([row[numbered:] for row in body], dtype=np.float64)
    except ValueError:
        values = np.array([[_number(cell) for cell in row[numbered:]] for row in body])
    wrong = ~np.isfinite(values) | (values < 0) | (values > 255)
    if wrong.any():
        at, column = (int(i[0]) for i in np.nonzero(wrong))
        cell = body[at][numbered + column]
        raise DataError(
            f"{what} holds {cell[:SHOWN]!r} in row {at + 1 + header}, column {column + 1 + numbered}; intensities are "
            "numbers from 0 to 255, or from 0 to 1."
        )
    if values.max() <= 1:
        values = values * 255
    return np.rint(values).astype(np.uint8).reshape(-1, SIZE, SIZE)


def _is_header(row: list[str]) -> bool:
    """Whether the first row names the columns: mostly words, or their numbers from 0 or 1 on."""
    return 2 * sum(map(is_number, row)) < len(row) or _counts(row[-PIXELS:])


def _labels(rows: list[list[str]], count: int, meanings: Sequence[str]) -> list[str]:
    """A label for each of the rows of intensities."""
    header = len(rows) == count + 1 or rows[0][-1].lower() in HEADERS
    body = rows[header:]
    if len(body) != count:
        raise DataError(
            f"The file of categories has {len(body):,} rows, but there are {count:,} rows of intensities; there must "
            "be one category for each, in the same order."
        )
    if len(body[0]) > 1 and not (len(body[0]) == 2 and _counts([row[0] for row in body])):
        raise DataError(f"The file of categories has {len(body[0])} columns; it needs one, the category of each row.")
    cells = [row[-1] for row in body]
    if all(re.fullmatch(r"\d{1,6}(\.0+)?", cell) for cell in cells):
        numbers = [int(float(cell)) for cell in cells]
        if meanings and max(numbers) >= len(meanings):
            raise DataError(
                f"The file of categories holds the number {max(numbers)}, but only {len(meanings)} names were given "
                f"(for 0 to {len(meanings) - 1}); name them all, or none."
            )
        cells = [meanings[number] if meanings else str(number) for number in numbers]
    return [as_label(cell) for cell in cells]


def _counts(cells: list[str]) -> bool:
    """Whether these are the numbers of rows or columns, from 0 or 1 on."""
    return cells in ([str(i) for i in range(len(cells))], [str(i + 1) for i in range(len(cells))]) and len(cells) > 1


def _number(cell: str) -> float:
    return float(cell) if is_number(cell) else np.nan


def _grey_where_it_is(picture: np.ndarray) -> np.ndarray:
    """`(H, W, 3)` whose colours are all grey as `(H, W)`: a third of the size."""
    return picture[..., 0] if (picture == picture[..., :1]).all() else picture
