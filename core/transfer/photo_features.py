"""What a frozen network for photographs makes of pictures: computed once, kept on disk, and read from there after."""

import hashlib
import re
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load_file, save
from torch import Tensor, nn

from core.data.pictures import decode_picture
from core.errors import NetworkError, PictureError
from core.inspection.subject import Subject
from core.networks.pretrained import features_of
from core.networks.store import write_atomically
from core.paths import home_dir
from core.transfer.photo_set import Photo
from core.work import Stop, Stopped

BATCH = 16  # pictures that pass through at once
KEEP_EVERY_S = 60.0  # what is computed is written at least so often: a server may be switched off
PROBE_HW = (310, 370)  # of the picture by which preparations are told apart
VERSION = b"1"  # of what is kept: to be raised where the features come to be computed otherwise

Tell = Callable[[int, int], None]  # (pictures done, of how many)


@dataclass(frozen=True, eq=False)
class Backbone:
    """A network for photographs without its classifier; a copy of its own, frozen."""

    name: str
    module: nn.Module
    prepare: Callable[[np.ndarray], Tensor]  # (H, W, 3) uint8 → (1, 3, h, w) float32
    key: str  # SHA-256 of its name, its weights and its preparation
    weights_sha256: str
    learned: bool  # False for random weights
    parameters: int

    def features(self, inputs: Tensor) -> np.ndarray:
        """`(N, 3, h, w) float32` → `(N, D) float32`: what the classifier would get, maps as their means."""
        with torch.inference_mode():
            made = self.module(inputs)
        return (made.mean((2, 3)) if made.dim() == 4 else made.flatten(1)).numpy()


@dataclass(frozen=True, eq=False)
class PhotoFeatures:
    """The features of those pictures that could be read."""

    values: np.ndarray  # (N, D) float32
    photos: tuple[Photo, ...]  # (N,), those that the rows are of
    notes: tuple[str, ...]  # what was left out, and why
    computed: int  # of the pictures now; the others were known
    seconds: float  # spent on the computed ones


def backbone_of(subject: Subject) -> Backbone:
    """The frozen part of a network for photos; raises `NetworkError` for any other."""
    if subject.takes != "photos" or subject.prepare_photo is None:
        raise NetworkError(f"{subject.name!r} takes {subject.takes}; choose a network for photos.")
    module = subject.own_copy()
    module = (features_of(module) if subject.classes else module).eval().requires_grad_(False)
    weights = hashlib.sha256()
    for name, value in module.state_dict().items():
        weights.update(name.encode() + b"\0" + value.detach().contiguous().numpy().tobytes())
    probe = np.random.default_rng(0).integers(0, 256, (*PROBE_HW, 3), dtype=np.uint8)
    prepared = subject.prepare_photo(probe).numpy().tobytes()
    whole = hashlib.sha256(b"\0".join([VERSION, subject.name.encode(), weights.digest(), prepared]))
    return Backbone(
        subject.name,
        module,
        subject.prepare_photo,
        whole.hexdigest(),
        weights.hexdigest(),
        not subject.moment,
        sum(parameter.numel() for parameter in module.parameters()),
    )


def shelf() -> Path:
    """The folder of all that was computed."""
    return home_dir() / "photo-features"


def compute_features(
    backbone: Backbone, photos: Sequence[Photo], tell: Tell = lambda done, total: None, stop: Stop = lambda: False
) -> PhotoFeatures:
    """Each picture's features, from disk where they are known; one pass in batches for the others.

    A picture that comes twice under one label counts once. Raises `Stopped` when `stop()` says so, and `NetworkError`
    where the shelf cannot be written to; pictures that cannot be read are left out with a note.
    """
    work = _Pass(backbone, _Store(shelf() / f"{_safe(backbone.name)}-{backbone.key[:32]}"))
    digests: list[bytes | None] = []
    try:
        for done, photo in enumerate(photos):
            if stop():
                raise Stopped
            digests.append(work.take(photo))
            tell(done + 1 - len(work.waiting), len(photos))
        work.flush()
        tell(len(photos), len(photos))
    finally:
        work.keep()
    return _gather(work, photos, digests)


def _gather(work: "_Pass", photos: Sequence[Photo], digests: Sequence[bytes | None]) -> PhotoFeatures:
    taken: dict[tuple[bytes, str], Photo] = {}
    for photo, digest in zip(photos, digests, strict=True):
        if digest is not None:
            taken.setdefault((digest, photo.label), photo)
    broken = [photo.name for photo, digest in zip(photos, digests, strict=True) if digest is None]
    notes = []
    if broken:
        notes.append(f"{_listed(broken)} could not be read as pictures and were left out ({len(broken):,} in all).")
    if twice := len(photos) - len(broken) - len(taken):
        notes.append(f"{twice:,} pictures are the same as others of their class and count once.")
    if shared := len(taken) - len({digest for digest, _ in taken}):
        notes.append(f"{shared:,} pictures stand under more than one class: no network can tell these classes apart.")
    rows = [work.known[digest] for digest, _ in taken]
    values = np.stack(rows) if rows else np.zeros((0, 0), np.float32)
    return PhotoFeatures(values, tuple(taken.values()), tuple(notes), work.computed, work.seconds)


class _Pass:
    """Pictures collected into batches; `known` grows with each."""

    def __init__(self, backbone: Backbone, store: "_Store") -> None:
        self.backbone, self.store = backbone, store
        self.known = store.read()
        self.waiting: dict[bytes, Tensor] = {}
        self.fresh: dict[bytes, np.ndarray] = {}  # not on disk yet
        self.computed, self.seconds = 0, 0.0
        self._kept_at = time.perf_counter()

    def take(self, photo: Photo) -> bytes | None:
        """The SHA-256 of the picture, by which its features will be known; None where it cannot be read."""
        try:
            content = photo.content()
            digest = hashlib.sha256(content).digest()
            if digest not in self.known and digest not in self.waiting:
                started = time.perf_counter()
                self.waiting[digest] = self.backbone.prepare(decode_picture(content, photo.name))
                self.seconds += time.perf_counter() - started
        except PictureError:
            return None
        if len(self.waiting) == BATCH:
            self.flush()
        return digest

    def flush(self) -> None:
        if not self.waiting:
            return
        started = time.perf_counter()
        made = self.backbone.features(torch.cat(list(self.waiting.values())))
        if not np.isfinite(made).all():
            raise NetworkError(f"{self.backbone.name} made numbers that are not finite; choose other weights.")
        self.seconds += time.perf_counter() - started
        self.fresh |= dict(zip(self.waiting, made, strict=True))
        self.known |= self.fresh
        self.computed += len(made)
        self.waiting.clear()
        if time.perf_counter() - self._kept_at > KEEP_EVERY_S:
            self.keep()

    def keep(self) -> None:
        self.store.add(self.fresh)
        self.fresh = {}
        self._kept_at = time.perf_counter()


class _Store:
    """The features of one backbone on disk: files that are only ever added, each with SHA-256s and their rows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self) -> dict[bytes, np.ndarray]:
        known: dict[bytes, np.ndarray] = {}
        for file in sorted(self.folder.glob("*.safetensors")):
            try:
                part = load_file(file)
                hashes, values = part["sha256"], part["features"]
                whole = hashes.shape == (len(values), 32) and hashes.dtype == np.uint8 and values.dtype == np.float32
            except (SafetensorError, KeyError, OSError):
                continue  # damaged: what it held is computed anew
            if whole and values.ndim == 2 and np.isfinite(values).all():
                known |= {row.tobytes(): value for row, value in zip(hashes, values, strict=True)}
        return known

    def add(self, rows: dict[bytes, np.ndarray]) -> None:
        if not rows:
            return
        hashes = np.stack([np.frombuffer(digest, np.uint8) for digest in rows])
        content = save({"sha256": hashes, "features": np.stack(list(rows.values()))})
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_atomically(self.folder / f"{uuid.uuid4().hex}.safetensors", content)
        except OSError as error:
            raise NetworkError(
                f"The features cannot be kept in {self.folder} ({error.strerror}); make room there or set INKLING_HOME "
                "to another folder."
            ) from error


def _safe(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name)[:60]


def _listed(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3:,} more" if len(names) > 3 else "")
