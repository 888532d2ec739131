"""The store: trained networks on disk, the shipped ones in `assets/networks`, the user's own in `INKLING_HOME`."""

import json
import os
import re
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.errors import NetworkError
from core.networks.passport import Passport, file_sha256, read_passport
from core.paths import ASSETS, home_dir

if TYPE_CHECKING:
    from core.networks.base import Network

NAME_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def _folders() -> list[Path]:
    return [home_dir() / "networks", ASSETS / "networks"]


@dataclass(frozen=True, eq=False)
class TrainedNetwork:
    """A network of the store: its passport at once, its weights when they are first needed."""

    passport: Passport
    folder: Path

    @property
    def name(self) -> str:
        return self.passport.name

    def module(self) -> "Network":
        """A fresh copy in eval mode that the caller may train, hook or change."""
        from safetensors.torch import load_file  # torch only where it is needed: reading pictures works without

        from core.networks.base import build

        self.check_weights()
        network = build(self.passport.spec)
        network.load_state_dict(load_file(self.folder / "weights.safetensors"))
        return network.eval()

    def check_weights(self) -> None:
        """Raises `NetworkError` unless the weights are there and are the ones the passport speaks of."""
        file = self.folder / "weights.safetensors"
        if not file.is_file():
            raise NetworkError(f"{file} is missing: the network {self.name!r} has a passport but no weights.")
        if file_sha256(file) != self.passport.weights_sha256:
            raise NetworkError(
                f"{file} is not the file its passport speaks of (the SHA-256 differs): it is damaged or was exchanged. "
                "Restore both files together, or train the network anew."
            )

    @cached_property
    def session(self):
        """An ONNX Runtime session on one thread, `(N, 1, 28, 28) float32 → (N, C)` logits; shared, never changed."""
        from core.networks.runtime import open_session

        self.check_weights()
        return open_session(self)

    def logits(self, glyphs: np.ndarray) -> np.ndarray:
        """`(N, 28, 28) float32` glyphs in one batch → `(N, C) float32` logits."""
        return self.session.run(None, {"glyphs": glyphs[:, None]})[0]


def list_networks() -> list[Passport]:
    """The passports of all networks that can be used, `digits` first, then by name; damaged ones are left out."""
    found: dict[str, Passport] = {}
    for folder in _folders():
        for file in sorted(folder.glob("*/passport.json")):
            try:
                found.setdefault(file.parent.name, read_passport(file))
            except NetworkError:
                continue  # its own error is told when it is asked for by name
    return sorted(found.values(), key=lambda p: (p.name != "digits", p.name))


def open_network(name: str) -> TrainedNetwork:
    """The network of that name; raises `NetworkError` when it is unknown or its passport is damaged."""
    if NAME_PATTERN.fullmatch(name):
        for folder in _folders():
            if (folder / name).is_dir():
                return TrainedNetwork(read_passport(folder / name / "passport.json"), folder / name)
    known = ", ".join(p.name for p in list_networks()) or "none yet"
    raise NetworkError(f"There is no trained network {name!r}; there are: {known}.")


def save_network(network: "Network", passport_fields: dict, folder: Path | None = None) -> TrainedNetwork:
    """Writes weights, runtime file and passport (last, so that a half-written network is never listed)."""
    from safetensors.torch import save

    from core.networks.runtime import export_onnx

    name = passport_fields["name"]
    if not NAME_PATTERN.fullmatch(name):
        raise NetworkError(f"{name!r} is no name for a network: use letters, digits, '.', '_' and '-', 64 at most.")
    folder = (folder or _folders()[0]) / name
    folder.mkdir(parents=True, exist_ok=True)
    state = {key: value.contiguous() for key, value in network.state_dict().items()}
    write_atomically(folder / "weights.safetensors", save(state))
    passport = Passport(
        spec=network.spec, weights_sha256=file_sha256(folder / "weights.safetensors"), **passport_fields
    )
    write_atomically(folder / "network.onnx", export_onnx(network, passport.weights_sha256))
    write_atomically(folder / "passport.json", json.dumps(passport.to_json(), indent=2).encode())
    return TrainedNetwork(passport, folder)


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
