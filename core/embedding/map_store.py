"""Maps that took time to make, kept on disk: `INKLING_HOME/embeddings/`, a NumPy archive each, without pickle."""

import hashlib
import os
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from core.embedding.maps import Map, MapConfig
from core.errors import DataError
from core.paths import home_dir

MOST_MAPS = 100  # kept; the one that was not looked at for longest makes room. 70,000 samples take 0.8 MB in 3-D


def map_file(sha256: str, config: MapConfig) -> Path:
    """Where the map of the space with that hash lies."""
    name = hashlib.sha256(repr((sha256, config.decisive)).encode()).hexdigest()[:32]
    return home_dir() / "embeddings" / f"{config.kind}-{config.dimensions}d-{name}.npz"


def open_map(sha256: str, config: MapConfig, count: int) -> Map | None:
    """The kept map of a space of `count` samples; None where there is none, or it is damaged."""
    file = map_file(sha256, config)
    try:
        with np.load(file, allow_pickle=False) as kept:
            layout = kept["layout"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    if layout.shape != (count, config.dimensions) or layout.dtype != np.float32 or not np.isfinite(layout).all():
        return None
    os.utime(file)
    return Map(config, layout)


def keep_map(sha256: str, made: Map) -> None:
    """Writes the map as a whole or not at all; raises `DataError` where nothing can be written."""
    file = map_file(sha256, made.config)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, suffix=".part", delete=False) as part:
            np.savez(part, layout=made.layout)
        os.replace(part.name, file)
        maps = sorted(file.parent.glob("*.npz"), key=lambda kept: kept.stat().st_mtime_ns)
        for old in maps[:-MOST_MAPS]:
            old.unlink(missing_ok=True)
    except OSError as error:
        raise DataError(f"The map cannot be kept in {file.parent} ({error.strerror}).") from error
