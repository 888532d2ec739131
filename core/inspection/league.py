"""The league table: how many of 2,000 test samples each network still reads under 15 corruptions at 5 strengths.

What was measured lies in `INKLING_HOME/league`, one file for each network and test set, written after each corruption:
a measurement that is stopped or killed goes on where it was. A file that is damaged is measured anew.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import norm

from core.data import Samples
from core.errors import NetworkError
from core.inspection.corruptions import CORRUPTIONS, STRENGTHS, VERSION, corrupt
from core.networks import Passport, TrainedNetwork
from core.networks.store import write_atomically
from core.paths import home_dir
from core.training.results import wilson
from core.training.tested import dataset_name, held_out
from core.work import Stop, Stopped

SAMPLES = 2000  # of each test set: their 75 changes give the mean accuracy to within about a point
SEED = 0
BATCH = 250  # glyphs an answer: a stop is noticed between two
CLEAN = "clean"
UNITS = (CLEAN, *CORRUPTIONS)  # what is measured in one go


@dataclass(frozen=True, eq=False)
class Standing:
    """What is known of one network so far."""

    network: str
    weights_sha256: str
    test_sha256: str
    samples: int
    right: dict[str, np.ndarray] = field(default_factory=dict)  # unit → (1 or 5, N) bool: strength, sample

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(unit for unit in UNITS if unit not in self.right)

    @property
    def complete(self) -> bool:
        return not self.missing

    def accuracy(self, unit: str) -> float | None:
        """Mean over the strengths, in [0, 1]; None where it is not measured yet."""
        return float(self.right[unit].mean()) if unit in self.right else None

    def accuracies(self, unit: str) -> np.ndarray:
        """`(5,)` by strength; not a number where it is not measured yet."""
        return self.right[unit].mean(1) if unit in self.right else np.full(len(STRENGTHS), np.nan)

    @property
    def clean_interval(self) -> tuple[float, float]:
        """The 95 % interval of the clean accuracy (Wilson 1927)."""
        return wilson(int(self.right[CLEAN].sum()), self.samples)

    @property
    def mean(self) -> tuple[float, float, float]:
        """The accuracy over all corruptions and strengths with its 95 % interval.

        The same samples stand in all 75 cells, so the interval is that of the mean of their shares, each sample's own
        share of the 75 being one observation (normal approximation).
        """
        shares = np.concatenate([self.right[kind] for kind in CORRUPTIONS]).mean(0)  # (N,)
        margin = float(norm.ppf(0.975) * shares.std(ddof=1) / np.sqrt(len(shares)))
        mean = float(shares.mean())
        return mean, max(0.0, mean - margin), min(1.0, mean + margin)


def groups(passports: list[Passport]) -> dict[tuple[str, tuple[str, ...]], list[str]]:
    """(data set, classes) → names of the networks that read glyphs and are tested on them."""
    found: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for passport in passports:
        name = dataset_name(passport)
        if passport.reads_glyphs and name is not None:
            found.setdefault((name, passport.classes), []).append(passport.name)
    return found


def sample(passport: Passport) -> Samples:
    """The part of the network's test set that the league asks; raises `DataError` where there is none."""
    import torch

    whole = held_out(passport)
    chosen = np.sort(np.random.default_rng(SEED).permutation(len(whole))[:SAMPLES])
    return whole.take(torch.from_numpy(chosen))


def standing_of(passport: Passport) -> Standing:
    """What is known of the network; raises `DataError` where its test set cannot be had."""
    whole = held_out(passport)
    empty = Standing(passport.name, passport.weights_sha256, whole.sha256, min(len(whole), SAMPLES))
    return _read(empty) or empty


def measure(
    trained: TrainedNetwork,
    progress: Callable[[str], object] = lambda unit: None,
    stop: Stop = lambda: False,
) -> Standing:
    """Measures what is missing, and keeps it; `progress(unit)` after each.

    Raises `Stopped` soon after `stop()` says so, `InklingError` where network or test set cannot be used.
    """
    standing = standing_of(trained.passport)
    if standing.complete:
        return standing
    samples = sample(trained.passport)
    if samples.classes != trained.passport.classes:
        raise NetworkError(f"The test set of {trained.name!r} has other classes than the network; test it on its own.")
    glyphs, labels = samples.images.numpy(), samples.labels.numpy()
    for unit in standing.missing:
        strengths = (0,) if unit == CLEAN else STRENGTHS
        kind = next(iter(CORRUPTIONS)) if unit == CLEAN else unit
        right = [_right(trained, corrupt(glyphs, kind, strength), labels, stop) for strength in strengths]
        standing.right[unit] = np.stack(right)
        _write(standing)
        progress(unit)
    return standing


def _right(trained: TrainedNetwork, glyphs: np.ndarray, labels: np.ndarray, stop: Stop) -> np.ndarray:
    return np.concatenate([trained.logits(batch).argmax(1) == own for batch, own in _batches(glyphs, labels, stop)])


def _batches(glyphs: np.ndarray, labels: np.ndarray, stop: Stop) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for start in range(0, len(glyphs), BATCH):
        if stop():
            raise Stopped
        yield glyphs[start : start + BATCH].astype(np.float32) / 255, labels[start : start + BATCH]


def league_dir() -> Path:
    return home_dir() / "league"


def cache_file(standing: Standing) -> Path:
    """By weights, test set, version of the corruptions, and which samples: anything else is another measurement."""
    key = json.dumps([standing.weights_sha256, standing.test_sha256, VERSION, standing.samples, SEED])
    return league_dir() / f"{hashlib.sha256(key.encode()).hexdigest()[:40]}.json"


def _write(standing: Standing) -> None:
    record = {
        "version": VERSION,
        "network": standing.network,
        "weights_sha256": standing.weights_sha256,
        "test_sha256": standing.test_sha256,
        "samples": standing.samples,
        "seed": SEED,
        "right": {unit: _packed(right) for unit, right in standing.right.items()},
    }
    try:
        league_dir().mkdir(parents=True, exist_ok=True)
        write_atomically(cache_file(standing), json.dumps(record).encode())
    except OSError as error:
        raise NetworkError(
            f"{league_dir()} cannot be written ({error.strerror}); make room, or set INKLING_HOME to a folder that can "
            "be."
        ) from error


def _read(empty: Standing) -> Standing | None:
    """What was kept; None for nothing and for what cannot be believed."""
    try:
        record = json.loads(cache_file(empty).read_bytes())
        right = {
            unit: _unpacked(record["right"][unit], unit, empty.samples) for unit in UNITS if unit in record["right"]
        }
        fits = all(record[key] == getattr(empty, key) for key in ("weights_sha256", "test_sha256", "samples"))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None  # it is measured anew
    return Standing(empty.network, empty.weights_sha256, empty.test_sha256, empty.samples, right) if fits else None


def _packed(right: np.ndarray) -> str:
    return base64.b64encode(np.packbits(right).tobytes()).decode()


def _unpacked(text: Any, unit: str, samples: int) -> np.ndarray:
    """Raises `ValueError` where it does not hold just so many answers."""
    rows = 1 if unit == CLEAN else len(STRENGTHS)
    bits = np.frombuffer(base64.b64decode(text, validate=True), np.uint8)
    if len(bits) != -(-rows * samples // 8):
        raise ValueError(f"{unit} has {len(bits)} bytes")
    return np.unpackbits(bits, count=rows * samples).astype(bool).reshape(rows, samples)
