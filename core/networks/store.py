"""The store: trained networks on disk, the shipped ones in `assets/networks`, the user's own in `INKLING_HOME`."""

import errno
import hashlib
import json
import os
import re
import tempfile
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import NetworkError
from core.networks.passport import MAX_NAME, Passport, is_name, read_passport
from core.paths import ASSETS, home_dir

if TYPE_CHECKING:
    import onnxruntime

    from core.networks.base import Network


def own_shelf() -> Path:
    """The folder of the user's own networks."""
    return home_dir() / "networks"


def _shelves() -> list[Path]:
    return [own_shelf(), ASSETS / "networks"]


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
        """An ONNX Runtime session on one thread, glyphs `(N, 1, 28, 28) float32 → (N, C)`; shared, never changed."""
        from core.networks.runtime import open_session

        return open_session(self)

    def logits(self, inputs: np.ndarray) -> np.ndarray:
        """`(N, 28, 28)` glyphs, or `(N, F)` features of a table, float32, in one batch → `(N, C) float32` logits."""
        batch = inputs[:, None] if self.passport.reads_glyphs else inputs
        return self.session.run(None, {self.passport.spec.takes: batch})[0]


def survey_networks() -> tuple[list[Passport], list[NetworkError]]:
    """The passports of all networks that can be used, `digits` first, then by name; and what is wrong with the rest.

    A run that has kept no network yet is neither.
    """
    passports, errors = [], []
    for folder in _folders().values():
        if is_unfinished(folder):
            continue
        try:
            passports.append(read_passport(folder / "passport.json"))
        except NetworkError as error:
            errors.append(error)
    return sorted(passports, key=lambda p: (p.name != "digits", p.name)), errors


def list_networks() -> list[Passport]:
    """The passports of all networks that can be used, `digits` first, then by name."""
    return survey_networks()[0]


def list_readers() -> list[Passport]:
    """The passports of the networks that read glyphs; the others take the rows of a table."""
    return [passport for passport in list_networks() if passport.reads_glyphs]


def open_network(name: str) -> TrainedNetwork:
    """The network of that name; raises `NetworkError` when it is unknown or its passport is damaged."""
    folder = _folders().get(name)
    if folder is None:
        known = ", ".join(p.name for p in list_networks()) or "none yet"
        raise NetworkError(f"There is no trained network {name!r}; there are: {known}.")
    if is_unfinished(folder):
        raise NetworkError(f"The run {name!r} has not kept a network yet: let it end, or continue it.")
    return TrainedNetwork(read_passport(folder / "passport.json"), folder)


def is_unfinished(folder: Path) -> bool:
    """Whether the folder holds a run that has not kept a network yet."""
    return (folder / "run.json").exists() and not (folder / "passport.json").exists()


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


def is_taken(name: str) -> bool:
    """Whether anything in the store, shipped, damaged and unfinished included, is called so.

    Capitals make no difference: on some systems they make none for folders, where a network may be copied to.
    """
    for shelf in _shelves():
        try:
            if name.casefold() in (entry.name.casefold() for entry in shelf.iterdir()):
                return True
        except OSError:
            continue  # no such shelf yet
    return False


def free_name(wish: str) -> str:
    """The wish as a name that a new network may have: `wish`, else `wish-2`, `wish-3`, …"""
    plain = unicodedata.normalize("NFKD", wish).encode("ascii", "ignore").decode()
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip("._-")[:MAX_NAME] or "network"
    name, number = stem, 1
    while is_taken(name):
        number += 1
        name = f"{stem[: MAX_NAME - len(str(number)) - 1]}-{number}"
    return name


def check_savable(name: str, shelf: Path | None = None, own_run: bool = False) -> None:
    """Raises `NetworkError` where `save_network` could not keep a network of that name: ask before a long training.

    A name is refused that another network has already, unless it is the asking run's own (`own_run`).
    """
    check_name(name)
    if not own_run and ((shelf / name).exists() if shelf else is_taken(name)):
        raise taken(name)
    shelf = shelf or own_shelf()
    try:
        shelf.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=shelf).close()
    except OSError as error:
        raise unwritable(shelf, error) from error


def taken(name: str) -> NetworkError:
    """What to tell the user of a name that another network has."""
    return NetworkError(
        f"There is a network {name!r} already; choose another name, such as {free_name(name)!r}, or rename or delete "
        "that one first."
    )


def check_name(name: str) -> None:
    """Raises `NetworkError` for what no network can be called."""
    if not name:
        raise NetworkError(f"A network needs a name; use letters, digits, '.', '_' and '-', {MAX_NAME} at most.")
    if not is_name(name):
        raise NetworkError(
            f"{name!r} is no name for a network; use letters, digits, '.', '_' and '-', {MAX_NAME} at most."
        )


def unwritable(folder: Path, error: OSError) -> NetworkError:
    """What to tell the user of a write that failed; the writers here leave what was there before as it was."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NetworkError(
            f"The disk is full: nothing was saved in {folder}, and what was there before is whole; make room, then "
            "save again."
        )
    return NetworkError(f"{folder} cannot be written ({error.strerror}); set INKLING_HOME to a folder that can be.")


def save_network(network: "Network", passport_fields: dict[str, Any], shelf: Path | None = None) -> TrainedNetwork:
    """Keeps a network: its weights, the runtime file derived from them, and its passport.

    `passport_fields` are the `Passport`'s fields but for the spec and the hashes, which are found here; `shelf` is the
    folder to make the network's own folder in (default: the user's). Raises `NetworkError` before anything is
    written when the fields do not fit, and when the folder cannot be written to.
    """
    from safetensors.torch import save

    weights = save({key: value.contiguous() for key, value in network.state_dict().items()})
    return keep(network, weights, passport_fields, shelf or own_shelf())


def keep(
    network: "Network",
    weights: bytes,
    passport_fields: dict[str, Any],
    shelf: Path,
    history: bytes | None = None,
    fresh: bool = False,
) -> TrainedNetwork:
    """As `save_network`, for a network whose weights file is at hand.

    `history` is its `history.json`; a `fresh` network raises `NetworkError` rather than take another's place.
    """
    from core.networks.runtime import export_onnx

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
    files = {"weights.safetensors": weights, "network.onnx": runtime}
    if history is not None:
        files["history.json"] = history
    files["passport.json"] = json.dumps(passport.to_json(), indent=2).encode()  # last: it makes it a network
    trained = TrainedNetwork(passport, shelf / passport.name)
    try:
        write_together(trained.folder, files, fresh)
    except OSError as error:
        if fresh and trained.folder.exists():
            raise taken(trained.name) from error
        raise unwritable(trained.folder, error) from error
    return trained


def write_together(folder: Path, files: dict[str, bytes], fresh: bool = False) -> None:
    """Writes files, by their paths in the folder, so that a disk that is full or fails changes none of them.

    All are written aside and flushed to disk first. Then a new folder appears at once; in one that exists (`OSError`
    where it has to be `fresh`) they take their places in the order given.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".saving-") as name:
        aside = Path(name)
        for file, content in files.items():
            (aside / file).parent.mkdir(parents=True, exist_ok=True)
            write_atomically(aside / file, content)
        if fresh or not folder.exists():
            aside.chmod(0o755)
            aside.rename(folder)
            return
        for file in files:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
        for file in files:
            os.replace(aside / file, folder / file)


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
