"""Fetches torchvision's published weights, once, with its checksum; kept as safetensors, which cannot run code."""

import hashlib
import os
import re
import threading
import uuid
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import Request, urlopen

from core.errors import NetworkError
from core.networks.pretrained import fetched_file, load_published

if TYPE_CHECKING:
    from torchvision.models import WeightsEnum

SILENCE_S = 20  # a server that says nothing for so long is given up
CHUNK = 1 << 18  # bytes between two looks at whether to stop
HASH_IN_NAME = re.compile(r"-([a-f0-9]{8,})\.pth$")  # torch.hub's convention: the SHA-256's first digits


def size_mb(weights: "WeightsEnum") -> float:
    """Megabytes (10^6 bytes) that are fetched, as torchvision states them."""
    return weights.meta["_file_size"] * 2**20 / 1e6


class Fetch:
    """A download in a thread of its own: whoever started it may look at it, stop it, or go away."""

    def __init__(self, weights: "WeightsEnum") -> None:
        self.weights = weights
        self.done_bytes, self.total_bytes = 0, 0
        self.converting = False
        self.error: NetworkError | None = None
        self.stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"fetch {weights.url}", daemon=True)

    def start(self) -> "Fetch":
        self._thread.start()
        return self

    @property
    def is_running(self) -> bool:
        return self._thread.is_alive()

    def stop(self) -> None:
        """Soon; what came so far is thrown away."""
        self.stopped.set()

    def join(self) -> None:
        self._thread.join()

    def _work(self) -> None:
        try:
            fetch(self.weights, self)
        except NetworkError as error:
            self.error = error
        except Exception as error:  # a thread's own exception would be seen by nobody
            self.error = NetworkError(f"{self.weights.url} could not be made use of: {error!r}.")


def fetch(weights: "WeightsEnum", progress: Fetch) -> None:
    """Downloads, checks and converts; raises `NetworkError`, and leaves nothing half done."""
    folder = fetched_file(weights).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _fetch_into(folder, weights, progress)
    except OSError as error:
        raise NetworkError(f"{folder} cannot be written to ({error}); make room there or allow it.") from error


def _fetch_into(folder: Path, weights: "WeightsEnum", progress: Fetch) -> None:
    file = fetched_file(weights)
    by_hand = folder / Path(weights.url).name
    if by_hand.is_file():  # somebody without a connection has put it there
        _convert(weights, by_hand, file, progress)
        return
    part = folder / f"{file.stem}.{uuid.uuid4().hex}.part"
    try:
        _download(weights, part, progress)
        if not progress.stopped.is_set():
            _convert(weights, part, file, progress)
    finally:
        part.unlink(missing_ok=True)


def _download(weights: "WeightsEnum", part: Path, progress: Fetch) -> None:
    with part.open("wb") as out:
        try:
            with urlopen(Request(weights.url, headers={"User-Agent": "Inkling"}), timeout=SILENCE_S) as source:
                progress.total_bytes = int(source.headers.get("Content-Length") or 0)
                while not progress.stopped.is_set() and (chunk := source.read(CHUNK)):
                    progress.done_bytes += len(chunk)
                    out.write(chunk)
        except (OSError, HTTPException, ValueError) as error:
            raise NetworkError(
                f"{size_mb(weights):,.0f} MB were expected from {weights.url}, but it could not be fetched "
                f"({getattr(error, 'reason', error)}). Connect and try again, put that file into {part.parent}, "
                "or give a local safetensors file."
            ) from error


def _convert(weights: "WeightsEnum", source: Path, file: Path, progress: Fetch) -> None:
    """torchvision's checked file → safetensors, under its name only when it is whole."""
    import torch
    from safetensors.torch import save_file

    progress.converting = True
    check_hash(source, weights.url)
    module = load_published(weights, torch.load(source, map_location="cpu", weights_only=True))
    part = file.with_name(f"{file.stem}.{uuid.uuid4().hex}.converted")
    try:
        save_file({key: value.contiguous() for key, value in module.state_dict().items()}, part, {"from": weights.url})
        os.replace(part, file)
    finally:
        part.unlink(missing_ok=True)


def check_hash(file: Path, url: str) -> None:
    """Raises `NetworkError` where the file's SHA-256 does not begin as its published name says."""
    named = HASH_IN_NAME.search(url)
    assert named, url
    with file.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    if not digest.startswith(named[1]):
        raise NetworkError(
            f"The SHA-256 of {url} should begin with {named[1]}, but {file.stat().st_size:,} bytes with {digest[:8]} "
            "came: something on the way changed or cut it. Try again, or give a local safetensors file."
        )
