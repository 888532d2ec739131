"""The store: trained networks on disk, the shipped ones in `assets/networks`, the user's own in `INKLING_HOME`."""

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import NetworkError
from core.networks.passport import Passport, is_name, read_passport
from core.paths import ASSETS, home_dir

if TYPE_CHECKING:
    import onnxruntime

    from core.networks.base import Network


def _shelves() -> list[Path]:
    return [home_dir() / "networks", ASSETS / "networks"]


@dataclass(frozen=True, eq=False)
class TrainedNetwork:
    """A network of the store: its passport at once, its weights when they are first needed."""

    passport: Passport
    folder: Path

    @property
    def name(self) -> str:
        return self.passport.name

    @property
    def weights_file(self) -> Path:
        return self.folder / "weights.safetensors"

    @property
    def runtime_file(self) -> Path:
        """The ONNX file derived from the weights."""
        return self.folder / "network.onnx"

    def module(self) -> "Network":
        """A fresh copy in eval mode that the caller may train, hook or change."""
        from safetensors import SafetensorError
        from safetensors.torch import load  # torch only where it is needed: reading pictures works without

        from core.networks.base import build

        network = build(self.passport.spec)
        try:
            state = load(self.read_weights())
            network.load_state_dict(state)
        except (SafetensorError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:200]
            raise NetworkError(
                f"{self.weights_file} does not hold the weights of a {self.passport.spec.architecture!r} network with "
                f"{self.passport.spec.classes} classes ({reason}); restore it with its passport, or train anew."
            ) from error
        if not all(bool(tensor.isfinite().all()) for tensor in state.values()):
            raise NetworkError(f"{self.weights_file} holds numbers that are not finite; train the network anew.")
        return network.eval()

    def read_weights(self) -> bytes:
        """The weights file's content; raises `NetworkError` unless it is the one that the passport speaks of."""
        try:
            content = self.weights_file.read_bytes()
        except OSError as error:
            raise NetworkError(
                f"{self.weights_file} is missing or cannot be read ({error.strerror}): the network {self.name!r} has a "
                "passport but no weights; restore the file, or train the network anew."
            ) from error
        if hashlib.sha256(content).hexdigest() != self.passport.weights_sha256:
            raise NetworkError(
                f"{self.weights_file} is not the file its passport speaks of (the SHA-256 differs): it is damaged or "
                "was exchanged; restore both files together, or train the network anew."
            )
        return content

    @cached_property
    def session(self) -> "onnxruntime.InferenceSession":
        """An ONNX Runtime session on one thread, `(N, 1, 28, 28) float32 → (N, C)` logits; shared, never changed."""
        from core.networks.runtime import open_session

        return open_session(self)

    def logits(self, glyphs: np.ndarray) -> np.ndarray:
        """`(N, 28, 28) float32` glyphs in one batch → `(N, C) float32` logits."""
        return self.session.run(None, {"glyphs": glyphs[:, None]})[0]


def survey_networks() -> tuple[list[Passport], list[NetworkError]]:
    """The passports of all networks that can be used, `digits` first, then by name; and what is wrong with the rest."""
    passports, errors = [], []
    for folder in _folders().values():
        try:
            passports.append(read_passport(folder / "passport.json"))
        except NetworkError as error:
            errors.append(error)
    return sorted(passports, key=lambda p: (p.name != "digits", p.name)), errors


def list_networks() -> list[Passport]:
    """The passports of all networks that can be used, `digits` first, then by name."""
    return survey_networks()[0]


def open_network(name: str) -> TrainedNetwork:
    """The network of that name; raises `NetworkError` when it is unknown or its passport is damaged."""
    folder = _folders().get(name)
    if folder is None:
        known = ", ".join(p.name for p in list_networks()) or "none yet"
        raise NetworkError(f"There is no trained network {name!r}; there are: {known}.")
    return TrainedNetwork(read_passport(folder / "passport.json"), folder)


def _folders() -> dict[str, Path]:
    """Name → folder of every network there is, readable or not; the user's own come before shipped ones."""
    found: dict[str, Path] = {}
    for shelf in _shelves():
        try:
            folders = sorted(f for f in shelf.iterdir() if is_name(f.name) and f.is_dir())
        except OSError:
            continue  # no such shelf yet: the first network that is saved makes it
        for folder in folders:
            found.setdefault(folder.name, folder)
    return found


def check_savable(name: str, shelf: Path | None = None) -> None:
    """Raises `NetworkError` where `save_network` could not keep a network of that name: ask before a long training."""
    if not is_name(name):
        raise NetworkError(f"{name!r} is no name for a network; use letters, digits, '.', '_' and '-', 64 at most.")
    shelf = shelf or _shelves()[0]
    try:
        shelf.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=shelf).close()
    except OSError as error:
        raise _unwritable(shelf, error) from error


def _unwritable(folder: Path, error: OSError) -> NetworkError:
    return NetworkError(f"{folder} cannot be written ({error.strerror}); set INKLING_HOME to a folder that can be.")


def save_network(network: "Network", passport_fields: dict[str, Any], shelf: Path | None = None) -> TrainedNetwork:
    """Writes weights, runtime file and passport (last, so that a half-written network is never listed).

    `passport_fields` are the `Passport`'s fields but for the spec and the hashes, which are found here; `shelf` is the
    folder to make the network's own folder in (default: the user's). Raises `NetworkError` before anything is
    written when the fields do not fit, and when the folder cannot be written to.
    """
    from safetensors.torch import save

    from core.networks.runtime import export_onnx

    weights = save({key: value.contiguous() for key, value in network.state_dict().items()})
    weights_sha256 = hashlib.sha256(weights).hexdigest()
    runtime = export_onnx(network, weights_sha256)
    try:
        passport = Passport(
            spec=network.spec,
            weights_sha256=weights_sha256,
            runtime_sha256=hashlib.sha256(runtime).hexdigest(),
            **passport_fields,
        )
    except NetworkError as error:
        raise NetworkError(f"The network cannot be kept under this passport: {error}.") from error
    trained = TrainedNetwork(passport, (shelf or _shelves()[0]) / passport.name)
    try:
        trained.folder.mkdir(parents=True, exist_ok=True)
        write_atomically(trained.weights_file, weights)
        write_atomically(trained.runtime_file, runtime)
        write_atomically(trained.folder / "passport.json", json.dumps(passport.to_json(), indent=2).encode())
    except OSError as error:
        raise _unwritable(trained.folder, error) from error
    return trained


def write_atomically(file: Path, content: bytes) -> None:
    """Writes to a temporary name in the same folder, flushes to disk, renames: a crash never leaves half a file."""
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            os.fchmod(out.fileno(), 0o644)  # mkstemp makes files that only their owner can read
            out.flush()
            os.fsync(out.fileno())
        os.replace(temporary, file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
