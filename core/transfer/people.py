"""Letters that people wrote by hand, as a test set: what was taught meets hands that it has never seen."""

import csv
from pathlib import Path

from core.errors import DataError
from core.paths import data_dir
from core.transfer.letters_set import Letter, LettersSet

NAME = "handwriting of other people"


def is_at_hand() -> bool:
    return _labels_file().is_file()


def handwriting(classes: tuple[str, ...]) -> LettersSet:
    """The single symbols of `handwriting` in `INKLING_DATA` that are of these classes; raises `DataError`."""
    try:
        with _labels_file().open(newline="", encoding="utf-8") as table:
            rows = [row for row in csv.DictReader(table) if row["kind"] == "single" and row["label"] in classes]
        letters = tuple(
            Letter(row["label"], (_labels_file().parent / row["file"]).read_bytes(), row["file"]) for row in rows
        )
    except (OSError, KeyError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"The handwriting in {_labels_file().parent} cannot be read ({error}).") from error
    return LettersSet(NAME, letters)


def _labels_file() -> Path:
    return data_dir() / "handwriting" / "labels.csv"
