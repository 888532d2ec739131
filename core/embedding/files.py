"""A space as files: tables and arrays for other programs, and tables of others as a space."""

import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from core.embedding.space import MAX_SAMPLES, Space
from core.errors import DataError

MAX_BYTES = 200_000_000
MAX_NUMBERS = 4096  # of a sample
MAX_CLASSES = 1000
SIDE = 28
LABELS = ("label", "class", "category", "categories", "target", "y", "kind")  # what a column of labels is called
ABOUT = ("id", "number", "set", "network", "layer", "file", "index")  # columns that are no numbers of the vector
UNLABELLED = "unlabelled"
FOUND, FIRST, LAST, NONE = "found by itself", "the first", "the last", "there is none"
LABEL_PLACES = (FOUND, FIRST, LAST, NONE)


@dataclass(frozen=True, eq=False)
class Table:
    """A table of vectors as it was read."""

    vectors: np.ndarray  # (N, D) float32
    labels: tuple[str, ...] | None  # (N,)
    sets: tuple[str, ...] | None
    notes: tuple[str, ...]  # what was found, in sentences


# out ------------------------------------------------------------------------------------------------------------------


def embeddings_csv(space: Space, network: str, layer: str) -> bytes:
    """A row a sample: id, set, label, network, layer, then its numbers."""
    import pandas as pd

    about = pd.DataFrame(_about(space, network, layer))
    numbers = pd.DataFrame(space.embeddings, columns=[f"n{i + 1}" for i in range(space.embeddings.shape[1])])
    return pd.concat([about, numbers], axis=1).to_csv(index=False, float_format="%.7g").encode()


def embeddings_npz(space: Space, network: str, layer: str, maps: dict[str, np.ndarray]) -> bytes:
    """Arrays by name, to be read with `numpy.load` without pickle: embeddings, glyphs, labels, what they are, maps."""
    arrays = {
        "embeddings": space.embeddings,
        "glyphs": space.glyphs,
        "labels": space.labels,
        "sets": space.sets,
        "classes": np.array(space.classes, np.str_),
        "set_names": np.array(space.set_names, np.str_),
        "ids": np.arange(len(space)),
        "network": np.array(network, np.str_),
        "layer": np.array(layer, np.str_),
    } | {f"map_{name}": points for name, points in maps.items()}
    return _written(lambda out: np.savez_compressed(out, allow_pickle=False, **arrays))


def embeddings_npy(space: Space) -> bytes:
    """`(N, D) float32` alone."""
    return _written(lambda out: np.save(out, space.embeddings, allow_pickle=False))


def map_csv(space: Space, network: str, layer: str, points: np.ndarray) -> bytes:
    """A row a sample: id, set, label, network, layer, then where it stands on the map, `(N, 2)` or `(N, 3)`."""
    import pandas as pd

    table = _about(space, network, layer) | {axis: points[:, i] for i, axis in enumerate("xyz"[: points.shape[1]])}
    return pd.DataFrame(table).to_csv(index=False, float_format="%.7g").encode()


def distances_csv(found: np.ndarray, chosen: Sequence[int], space: Space, metric: str) -> bytes:
    """A row a sample, a column a chosen sample: `(K, N)` distances."""
    import pandas as pd

    names = [f"{metric} to {i + 1} ({space.classes[space.labels[i]]})" for i in chosen]
    columns = dict(zip(names, found, strict=True))
    return pd.DataFrame(_names_of(space) | columns).to_csv(index=False, float_format="%.7g").encode()


def class_means_csv(mean: np.ndarray, classes: Sequence[str]) -> bytes:
    """`(C, C)` mean distances, a row and a column a class; empty where there is no pair."""
    import pandas as pd

    table = pd.DataFrame(mean, columns=list(classes))
    table.insert(0, "class", list(classes), allow_duplicates=True)
    return table.to_csv(index=False, float_format="%.7g").encode()


def _about(space: Space, network: str, layer: str) -> dict[str, object]:
    return _names_of(space) | {"network": [network] * len(space), "layer": [layer] * len(space)}


def _names_of(space: Space) -> dict[str, object]:
    return {
        "id": np.arange(1, len(space) + 1),
        "set": np.array(space.set_names, object)[space.sets],
        "label": np.array(space.classes, object)[space.labels],
    }


def _written(write: Callable[[io.BytesIO], None]) -> bytes:
    out = io.BytesIO()
    write(out)
    return out.getvalue()


# in -------------------------------------------------------------------------------------------------------------------


def read_table(content: bytes, name: str, label: str = FOUND) -> Table:
    """A CSV of vectors, a row a sample, with or without a header and labels; `label`: which column holds them.

    Raises `DataError` that names the line and the column where it cannot be read so.
    """
    rows = _rows(content, name)
    header = rows[0][1] if _has_header([cells for _, cells in rows]) else None
    body = rows[1:] if header else rows
    if not body:
        raise DataError(f"{name} has a header but no rows; give each sample a row.")
    if len(body) > MAX_SAMPLES:
        raise DataError(f"{name} holds {len(body):,} rows; at most {MAX_SAMPLES:,} samples can be shown.")
    width = len(header or body[0][1])
    for line, cells in body:
        if len(cells) != width:
            raise DataError(f"{name}, line {line}: {len(cells)} cells came, {width} are expected as in the first line.")
    names = [cell.strip().casefold() for cell in header] if header else [""] * width
    left = [i for i in range(width) if names[i] in ABOUT]
    at = _label_column(body, names, left, label, name)
    columns = [i for i in range(width) if i not in left and i != at]
    if not columns:
        raise DataError(f"{name} holds no column of numbers; each sample needs one at least.")
    if len(columns) > MAX_NUMBERS:
        raise DataError(f"{name} holds {len(columns):,} numbers a row; at most {MAX_NUMBERS:,} are possible.")
    vectors = _numbers(body, columns, name)
    labels = None if at is None else tuple(cells[at].strip() or UNLABELLED for _, cells in body)
    sets = tuple(cells[names.index("set")].strip() for _, cells in body) if "set" in names else None
    notes = [f"{len(vectors):,} samples of {len(columns):,} numbers" + (", with a header." if header else ".")]
    if at is not None:
        notes.append(f"Labels: column {at + 1}" + (f" ({header[at].strip()})." if header else "."))
    else:
        notes.append("No labels.")
    return Table(vectors, labels, sets, tuple(notes))


def space_of(table: Table, name: str) -> Space:
    """The table as a space to explore; rows of 784 numbers that can be intensities are shown as pictures.

    Intensities may be 0 to 255 or 0 to 1. Other samples have no picture. Raises `DataError` for too many classes.
    """
    given = table.labels or (UNLABELLED,) * len(table.vectors)
    classes = tuple(dict.fromkeys(given))
    if len(classes) > MAX_CLASSES:
        raise DataError(
            f"{name} holds {len(classes):,} different labels; at most {MAX_CLASSES:,} are possible. Is the column of "
            "labels the right one?"
        )
    set_names = tuple(dict.fromkeys(table.sets)) if table.sets else (name,)
    sets = [set_names.index(one) for one in table.sets] if table.sets else [0] * len(given)
    number = {label: i for i, label in enumerate(classes)}
    return Space(
        table.vectors, pictures_of(table.vectors), np.array([number[label] for label in given], np.int64),
        np.array(sets, np.int64), classes, set_names,
    )  # fmt: skip


def pictures_of(vectors: np.ndarray) -> np.ndarray:
    """`(N, 28, 28) uint8`: what rows of 784 intensities show, empty where they are something else."""
    pictures = np.zeros((len(vectors), SIDE, SIDE), np.uint8)
    if not are_pictures(vectors):
        return pictures
    scale = 255 if vectors.max(initial=0) <= 1 else 1
    pictures[:] = np.rint(vectors * scale).astype(np.uint8).reshape(-1, SIDE, SIDE)
    return pictures


def are_pictures(vectors: np.ndarray) -> bool:
    """Whether these can be 28×28 intensities, from 0 to 255 or from 0 to 1."""
    return bool(vectors.shape[1] == SIDE * SIDE and vectors.min(initial=0) >= 0 and vectors.max(initial=0) <= 255)


def _rows(content: bytes, name: str) -> list[tuple[int, list[str]]]:
    """Each line that is not empty with its number."""
    if len(content) > MAX_BYTES:
        raise DataError(f"{name} is larger than {MAX_BYTES // 1_000_000} MB; take fewer samples.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{name} is no text in UTF-8; save the table as CSV (UTF-8).") from error
    if "\0" in text:
        raise DataError(f"{name} is no table but binary data; save the table as CSV.")
    first = text.lstrip("\r\n").split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    if delimiter == ";":
        text = re.sub(r"(?<=\d),(?=\d)", ".", text)  # a decimal comma
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        rows = [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        raise DataError(f"{name}, line {reader.line_num} is not CSV ({error}); save the table as CSV again.") from error
    if not rows:
        raise DataError(f"{name} is empty; give it a row for each sample.")
    return rows


def _has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names the columns: one "label", or it has no number, or none where those below have."""
    first = [is_number(cell) for cell in rows[0]]
    if not any(first) or any(cell.strip().casefold() in LABELS[:4] for cell in rows[0]):
        return True
    below = [is_number(cell) for cell in rows[1]] if len(rows) > 1 else first
    return any(here < there for here, there in zip(first, below, strict=False))


def _label_column(
    body: Sequence[tuple[int, list[str]]], names: Sequence[str], left: Sequence[int], label: str, name: str
) -> int | None:
    free = [i for i in range(len(names)) if i not in left]
    if label == NONE or not free:
        return None
    if label in (FIRST, LAST):
        return free[0 if label == FIRST else -1]
    named = [i for i in free if names[i] in LABELS]
    if named:
        return named[0]
    texts = [i for i in free if not all(is_number(cells[i]) for _, cells in body[:100])]
    if len(texts) > 1:
        line, column = next((line, i) for line, cells in body for i in texts if not is_number(cells[i]))
        raise DataError(
            f"{name} holds {len(texts)} columns with something else than numbers (the first: line {line}, column "
            f"{column + 1}); one may hold labels. Call it 'label' in a header, and leave the others out."
        )
    return texts[0] if texts else None


def _numbers(body: Sequence[tuple[int, list[str]]], columns: Sequence[int], name: str) -> np.ndarray:
    """`(N, D) float32`."""
    try:
        vectors = np.array([[float(cells[i]) for i in columns] for _, cells in body], np.float32)
    except (ValueError, OverflowError):
        line, column, cell = next(
            (line, i, cells[i]) for line, cells in body for i in columns if not is_number(cells[i])
        )
        raise DataError(
            f"{name}, line {line}, column {column + 1}: {cell.strip()[:30]!r} is no number; only one column, "
            "of labels, may hold something else."
        ) from None
    if not np.isfinite(vectors).all():
        row, place = np.argwhere(~np.isfinite(vectors))[0]
        line, column = body[row][0], columns[place]
        raise DataError(
            f"{name}, line {line}, column {column + 1}: {body[row][1][column].strip()[:30]!r} is no finite number; "
            "leave the row out, or give it one."
        )
    return vectors


def is_number(cell: str) -> bool:
    """Whether the cell of a table reads as a number; infinite ones and NaN do."""
    try:
        float(cell)
    except ValueError:
        return False
    return True
