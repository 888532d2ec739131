"""`heart:FILE.csv`: a table of heart patients, eleven features and whether they have heart disease → eleven numbers.

The columns are those of the Heart Failure Prediction data set (five clinics' records, collected by fedesoriano, 2021).
Categories become one number each, in an order that means something, so that a network has one input a feature. A
cholesterol or a resting blood pressure of 0 was not measured, no more than a number given as NA or left out: the
median stands in for what is unknown. Medians, means and standard deviations are the training part's alone; the test
part is new patients.
"""

import csv
import io
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from core.data.samples import Samples
from core.data.split import draw_test_part
from core.errors import DataError

CLASSES = ("no heart disease", "heart disease")
TARGET = "HeartDisease"
# Each feature: its categories, numbered from 0 in this order, or the range of its numbers.
FEATURES: dict[str, tuple[str, ...] | tuple[float, float]] = {
    "Age": (0, 130),
    "Sex": ("F", "M"),
    "ChestPainType": ("ASY", "NAP", "ATA", "TA"),  # no pain, other pain, atypical, typical angina: ever more angina
    "RestingBP": (0, 400),
    "Cholesterol": (0, 2000),
    "FastingBS": ("0", "1"),
    "RestingECG": ("Normal", "ST", "LVH"),  # as the clinics numbered them: 0, 1, 2
    "MaxHR": (0, 300),
    "ExerciseAngina": ("N", "Y"),
    "Oldpeak": (-20, 20),
    "ST_Slope": ("Down", "Flat", "Up"),
}
UNKNOWN_AT_0 = ("RestingBP", "Cholesterol")  # nobody alive has 0
NOT_GIVEN = ("", "NA", "N/A", "NaN", "nan")  # what statistics programs and spreadsheets write
COLUMNS = tuple(FEATURES)
MAX_BYTES = 10_000_000  # about 250,000 patients


class HeartTable(NamedTuple):
    """The table as numbers, not yet scaled."""

    features: np.ndarray  # (N, 11) float64, nan where unknown
    labels: np.ndarray  # (N,) int64
    columns: tuple[str, ...]
    notes: tuple[str, ...]


def read_parts(file: Path, name: str) -> tuple[Samples, Samples]:
    """The training and the test part of a heart table, scaled."""
    table = read_heart(file)
    testing = draw_test_part(table.labels)
    *scaled, preparation = prepare(table.features[~testing], table.features[testing])
    notes = table.notes + _about_medians(table.features, preparation["medians"])
    train, test = (
        Samples(
            name, part, torch.from_numpy(rows), torch.from_numpy(labels), CLASSES, table.columns, notes, preparation
        )
        for part, rows, labels in zip(
            ("train", "test"), scaled, (table.labels[~testing], table.labels[testing]), strict=True
        )
    )
    return train, test


def read_heart(file: Path) -> HeartTable:
    """The table in a CSV file, categories as numbers; raises `DataError` that names the column and the line."""
    rows = csv.reader(io.StringIO(_text(file), newline=""), strict=True)
    try:
        header = [cell.strip() for cell in next(rows, [])]
        left_out = _check_header(file, header)
        places = [header.index(column) for column in (*COLUMNS, TARGET)]
        numbers = []
        for row in rows:
            if not "".join(row).strip():
                continue
            if len(row) != len(header):
                raise DataError(f"{file}, line {rows.line_num}: {len(row)} cells came, {len(header)} are expected.")
            numbers.append(_encode(file, rows.line_num, [row[place].strip() for place in places]))
    except csv.Error as error:
        raise DataError(f"{file}, line {rows.line_num} is not CSV ({error}); save the table as CSV again.") from error
    if not numbers:
        raise DataError(f"{file} has a header but no rows; give a patient a row.")
    table = np.array(numbers, np.float64)
    features, labels = table[:, :-1], table[:, -1].astype(np.int64)
    counts = np.bincount(labels, minlength=2)
    if counts.min() < 2:
        told = " and ".join(f"{count:,} with {name}" for name, count in zip(CLASSES, counts, strict=True))
        raise DataError(f"{file} holds {told}; at least two of each are needed to learn from one and test on another.")
    notes = [f"Columns that are not used were left out: {', '.join(left_out)}."] if left_out else []
    return HeartTable(features, labels, COLUMNS, (*notes, *_blank_unknown(features)))


def prepare(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """Raw rows, `(N, 11)` with nan where unknown → both parts scaled as float32, and the JSON of how it was done.

    A new row is prepared alike: categories to their numbers, unknown to the median, less the mean, by the deviation.
    """
    medians = np.array([np.median(known) if len(known := column[~np.isnan(column)]) else 0 for column in train.T])
    filled = [np.where(np.isnan(rows), medians, rows) for rows in (train, test)]
    means, deviations = filled[0].mean(axis=0), filled[0].std(axis=0)
    deviations[deviations == 0] = 1  # a feature that is always the same becomes 0
    scaled = [((rows - means) / deviations).astype(np.float32) for rows in filled]
    preparation = {
        "columns": list(COLUMNS),
        "categories": {name: list(values) for name, values in FEATURES.items() if isinstance(values[0], str)},
        "unknown_at_0": list(UNKNOWN_AT_0),
        "medians": medians.tolist(),
        "means": means.tolist(),
        "deviations": deviations.tolist(),
    }
    return scaled[0], scaled[1], preparation


def _text(file: Path) -> str:
    if not file.is_file():
        raise DataError(f"{file} {'is not a file' if file.exists() else 'does not exist'}; give a heart table as CSV.")
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise DataError(f"{file} cannot be opened ({error.strerror}); check its permissions.") from error
    if not content.strip():
        raise DataError(f"{file} is empty; a heart table begins with the names of its columns.")
    if len(content) > MAX_BYTES:
        raise DataError(f"{file} is larger than {MAX_BYTES // 1_000_000} MB; a heart table is smaller.")
    try:
        return content.decode("utf-8-sig")  # spreadsheets put a byte order mark first
    except UnicodeDecodeError as error:
        raise DataError(f"{file} is not text in UTF-8; save the table as CSV in UTF-8.") from error


def _check_header(file: Path, header: list[str]) -> list[str]:
    """The columns that are not used; raises where one is missing or stands twice."""
    expected = (*COLUMNS, TARGET)
    unknown = [column for column in header if column not in expected]
    if missing := [column for column in expected if column not in header]:
        instead = f", and does not know {', '.join(unknown[:12])[:200]}" if unknown else ""
        raise DataError(
            f"{file} lacks the column{'s'[: len(missing) - 1]} {', '.join(missing)}{instead}; a heart table has "
            f"{', '.join(expected)}, separated by commas."
        )
    if twice := sorted({column for column in expected if header.count(column) > 1}):
        raise DataError(f"{file} has the column {', '.join(twice)} twice; keep one.")
    return [column or "(no name)" for column in unknown]


def _encode(file: Path, line: int, cells: list[str]) -> list[float]:
    """A row's cells → its features' numbers and its label."""
    *features, label = cells
    if label not in ("0", "1"):
        raise DataError(f"{file}, line {line}: {TARGET} is {label[:40]!r}; 0 or 1 is expected.")
    numbers = [_number(file, line, column, cell) for column, cell in zip(COLUMNS, features, strict=True)]
    return [*numbers, float(label)]


def _number(file: Path, line: int, column: str, cell: str) -> float:
    choices = FEATURES[column]
    if isinstance(choices[0], str):
        if cell not in choices:
            raise DataError(f"{file}, line {line}: {column} is {cell[:40]!r}; one of {', '.join(choices)} is expected.")
        return float(choices.index(cell))
    if cell in NOT_GIVEN:
        return np.nan
    low, high = choices
    try:
        number = float(cell)
    except ValueError:
        number = np.nan
    if not low <= number <= high:  # nan too
        raise DataError(f"{file}, line {line}: {column} is {cell[:40]!r}; a number from {low} to {high} is expected.")
    return number


def _blank_unknown(features: np.ndarray) -> list[str]:
    """Makes the zeros that mean unknown nan, in place; says how many values are unknown, by column."""
    notes = []
    for column, values in zip(COLUMNS, features.T, strict=True):
        not_given, at_0 = int(np.isnan(values).sum()), 0
        if column in UNKNOWN_AT_0:
            at_0 = int((values == 0).sum())
            values[values == 0] = np.nan
        if not_given or at_0:
            reasons = ((at_0, "0, which no patient has"), (not_given, "NA or nothing"))
            why = ", and ".join(f"{n} {'holds' if n == 1 else 'hold'} {what}" for n, what in reasons if n)
            notes.append(f"{column} is unknown in {not_given + at_0} of {len(values)} rows: {why}.")
    return notes


def _about_medians(features: np.ndarray, medians: list[float]) -> tuple[str, ...]:
    unknown = np.isnan(features).any(axis=0)
    told = [
        f"{column} {median:g}" for column, median, is_used in zip(COLUMNS, medians, unknown, strict=True) if is_used
    ]
    return (f"Medians of the training part stand in for unknown values: {', '.join(told)}.",) if told else ()
