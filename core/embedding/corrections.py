"""Corrections: what the user says a data set's sample truly is, or that it is none; retraining uses them.

The data sets stay as they are. A correction names its sample by the hash of its pixels, so it holds wherever the set
is drawn, split or ordered otherwise; of equal pictures one correction says it for all.
"""

import hashlib
import json
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch

from core.data import Samples
from core.embedding.space import Space
from core.errors import DataError
from core.networks.store import write_atomically
from core.paths import home_dir

FORMAT = 1
MAX_BYTES = 20_000_000  # some 150,000 corrections
_guard = threading.Lock()


@dataclass(frozen=True)
class Correction:
    """One sample of a data set."""

    dataset: str
    glyph: str  # `glyph_id`
    was: str  # the label that the data set gives it
    now: str | None  # the right one; None: it is removed


def glyph_id(glyph: np.ndarray) -> str:
    """The hash of a glyph's pixels, `(28, 28) uint8`."""
    return hashlib.sha256(np.ascontiguousarray(glyph, np.uint8).tobytes()).hexdigest()[:24]


def list_corrections() -> tuple[Correction, ...]:
    """All of the user's corrections, in the order they came; raises `DataError` where their file is damaged."""
    try:
        if _file().stat().st_size > MAX_BYTES:
            raise DataError(f"{_file()} is larger than any list of corrections; move it away to begin a new one.")
        content = json.loads(_file().read_text("utf-8"))
        if content["format"] != FORMAT:
            raise ValueError(f"its format is {content['format']!r}")
        return tuple(_checked(entry) for entry in content["corrections"])
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError(f"{_file()} is no list of corrections ({error}); move it away to begin a new one.") from error


def correct(new: Sequence[Correction]) -> tuple[Correction, ...]:
    """Adds corrections; what stood in the list before, for `restore_corrections`.

    A sample that is corrected again keeps the label that its data set gave it; one that has that label again needs no
    correction.
    """
    with _guard:
        before = list_corrections()
        known = {(c.dataset, c.glyph): c for c in before}
        for correction in new:
            key = (correction.dataset, correction.glyph)
            first = known.pop(key, correction)
            if correction.now != first.was:
                known[key] = replace(first, now=correction.now)
        _write(tuple(known.values()))
        return before


def restore_corrections(before: Sequence[Correction]) -> None:
    """Makes this the list again."""
    with _guard:
        _write(before)


def correct_samples(samples: Samples, corrections: Sequence[Correction]) -> tuple[Samples, torch.Tensor]:
    """The samples under their right labels, and `(N,) bool`: which of them are kept; no sample is left out here.

    A label that the data set does not have becomes a class of its own.
    """
    own = {c.glyph: c for c in corrections if c.dataset == samples.name}
    kept = torch.ones(len(samples), dtype=torch.bool)
    if not own:
        return samples, kept
    labels, classes = samples.labels.clone(), list(samples.classes)
    for i, glyph in enumerate(samples.images.numpy()):
        if (correction := own.get(glyph_id(glyph))) is None:
            continue
        if correction.now is None:
            kept[i] = False
            continue
        if correction.now not in classes:
            classes.append(correction.now)
        labels[i] = classes.index(correction.now)
    return replace(samples, labels=labels, classes=tuple(classes)), kept


def correct_space(space: Space, corrections: Sequence[Correction], datasets: Sequence[str | None]) -> Space:
    """The space with its samples' right labels; `datasets` names the data set of each of its sets, None: no such one.

    Removed samples stay where they are: see `removed_from`.
    """
    found = _corrections_of(space, corrections, datasets)
    if not found:
        return space
    labels, classes = space.labels.copy(), list(space.classes)
    for i, correction in found.items():
        if correction.now is not None:
            if correction.now not in classes:
                classes.append(correction.now)
            labels[i] = classes.index(correction.now)
    return replace(space, labels=labels, classes=tuple(classes))


def removed_from(space: Space, corrections: Sequence[Correction], datasets: Sequence[str | None]) -> np.ndarray:
    """`(N,) bool`: which samples of the space the user removed."""
    removed = np.zeros(len(space), bool)
    found = _corrections_of(space, corrections, datasets)
    removed[[i for i, correction in found.items() if correction.now is None]] = True
    return removed


def _corrections_of(
    space: Space, corrections: Sequence[Correction], datasets: Sequence[str | None]
) -> dict[int, Correction]:
    known = {(c.dataset, c.glyph): c for c in corrections}
    concerned = [n for n, dataset in enumerate(datasets) if any(dataset == c.dataset for c in corrections)]
    found = {}
    for i in np.flatnonzero(np.isin(space.sets, concerned)).tolist():
        correction = known.get((datasets[space.sets[i]] or "", glyph_id(space.glyphs[i])))
        if correction is not None:
            found[i] = correction
    return found


def _checked(entry: dict[str, str | None]) -> Correction:
    correction = Correction(**entry)  # type: ignore[arg-type]  # what else there is, the next line refuses
    texts = (correction.dataset, correction.glyph, correction.was, correction.now or "")
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("an entry holds something else than text")
    return correction


def _write(corrections: Sequence[Correction]) -> None:
    content = {"format": FORMAT, "corrections": [asdict(c) for c in corrections]}
    try:
        home_dir().mkdir(parents=True, exist_ok=True)
        write_atomically(_file(), json.dumps(content, ensure_ascii=False, indent=1).encode())
    except OSError as error:
        raise DataError(f"The corrections cannot be written to {_file()} ({error.strerror}).") from error


def _file() -> Path:
    return home_dir() / "corrections.json"
