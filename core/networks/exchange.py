"""Networks for elsewhere: as ONNX for other programs, as a ZIP for another Inkling; and such ZIPs coming in.

A ZIP that comes in is somebody else's: it is read in memory, within limits, and everything in it is checked against
everything else before the store is touched. Nothing in it can run; the ONNX file is derived anew from the weights.
"""

import hashlib
import io
import json
import stat
import zipfile
import zlib
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import NetworkError
from core.networks.passport import MAX_BYTES, Passport, parse_passport
from core.networks.runtime import export_onnx, session_of
from core.networks.store import (
    TrainedNetwork,
    check_savable,
    free_name,
    keep,
    open_network,
    own_shelf,
    write_atomically,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    from core.networks.base import Network

WEIGHTS, PASSPORT, HISTORY = "weights.safetensors", "passport.json", "history.json"
LIMITS = {WEIGHTS: 100_000_000, PASSPORT: MAX_BYTES, HISTORY: 20_000_000}  # bytes unpacked
MAX_ZIP_BYTES = sum(LIMITS.values())
ENTRY = b"PK\x01\x02"  # what a ZIP's list of contents begins each entry with
MANY = 100  # entries; each is an object in memory once the archive is opened
LONG = 64  # characters of a class's name
SAMPLES = 1000  # that an exported network must answer as the network itself does
TOLERANCE = 1e-4  # between the logits of the two
STAMP = (1980, 1, 1, 0, 0, 0)  # of every file: the same network is always the same ZIP


def export_zip(name: str) -> bytes:
    """A network as a ZIP: weights, passport and, where there is one, its history. The same network, the same bytes."""
    network = open_network(name)
    passport = replace(network.passport, runtime_sha256=None)  # the ONNX file stays: whoever imports derives their own
    files = {WEIGHTS: network.read_weights(), PASSPORT: json.dumps(passport.to_json(), indent=2).encode()}
    try:
        if (history := network.folder / HISTORY).exists():
            files[HISTORY] = history.read_bytes()
    except OSError as error:
        raise NetworkError(f"{history} cannot be read ({error.strerror}); check its permissions.") from error
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:  # weights hardly shrink
        for file, content in files.items():
            entry = zipfile.ZipInfo(file, STAMP)
            entry.create_system, entry.external_attr = 3, (stat.S_IFREG | 0o644) << 16  # as Unix writes it, everywhere
            archive.writestr(entry, content)
    return out.getvalue()


def import_zip(content: bytes, name: str | None = None) -> TrainedNetwork:
    """Keeps the network of a ZIP that `export_zip` made, under `name` (default: its own, or the next free one).

    Raises `NetworkError` in one sentence for any other ZIP, and when the name is taken; then nothing is kept.
    """
    if name is not None:
        check_savable(name)
    try:
        files = _unpack(content)
        passport = _passport(files[PASSPORT])
        network = _network(passport, files[WEIGHTS])
        history = _history(files[HISTORY]) if HISTORY in files else None
    except NetworkError as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise NetworkError(
            f"This is no network that can be imported: {reason}; export it again where it comes from."
        ) from error
    name = name or free_name(passport.name)
    said = {f.name: getattr(passport, f.name) for f in fields(Passport)}
    said = {key: value for key, value in said.items() if key not in ("spec", "weights_sha256", "runtime_sha256")}
    return keep(network, files[WEIGHTS], said | {"name": name}, own_shelf(), history, fresh=True)


def _unpack(content: bytes) -> dict[str, bytes]:
    if len(content) > MAX_ZIP_BYTES:
        raise NetworkError(f"it is larger than {MAX_ZIP_BYTES // 1_000_000} MB")
    if content.count(ENTRY) > MANY:
        raise NetworkError(f"it holds more than the files {', '.join(LIMITS)}")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for entry in archive.infolist():
                _check_entry(entry)
            names = archive.namelist()
            if len(set(names)) < len(names):
                raise NetworkError("it holds a file twice")
            if missing := {WEIGHTS, PASSPORT} - set(names):
                raise NetworkError(f"{sorted(missing)[0]} is missing in it")
            return {name: _read(archive, name) for name in names}
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError) as error:
        raise NetworkError(f"it is no ZIP, or a damaged one ({error})") from error


def _check_entry(entry: zipfile.ZipInfo) -> None:
    if entry.orig_filename not in LIMITS:
        raise NetworkError(f"it holds {entry.orig_filename[:80]!r}, but only {', '.join(LIMITS)} belong in it")
    if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
        raise NetworkError(f"its {entry.filename} is a link, not a file")
    if entry.flag_bits & 0x1:
        raise NetworkError(f"its {entry.filename} is encrypted")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise NetworkError(f"its {entry.filename} is packed in an unusual way")


def _read(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as file:
        content = file.read(LIMITS[name] + 1)  # whatever size the ZIP claims
    if len(content) > LIMITS[name]:
        raise NetworkError(f"its {name} is larger than {LIMITS[name] // 1_000_000} MB")
    return content


def _passport(content: bytes) -> Passport:
    try:
        passport = parse_passport(content)
    except NetworkError as error:
        raise NetworkError(f"its passport is not valid: {error}") from error
    if odd := [c for c in passport.classes if len(c) > LONG or not c.isprintable()]:
        raise NetworkError(f"its passport is not valid: {odd[0][:LONG]!a} is no name for a class")
    return passport


def _network(passport: Passport, weights: bytes) -> "Network":
    """The network that spec and weights make, where they fit each other."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    from core.networks.base import build

    if hashlib.sha256(weights).hexdigest() != passport.weights_sha256:
        raise NetworkError("its weights are not those that its passport speaks of (the SHA-256 differs)")
    try:
        state = load(weights)
    except (SafetensorError, KeyError, RuntimeError, ValueError) as error:  # KeyError: a type that torch lacks
        raise NetworkError(f"its weights are no safetensors file ({error})") from error
    network = build(passport.spec)  # never large: specs are limited
    if _shapes(network.state_dict()) != _shapes(state):
        raise NetworkError(
            f"its weights are not those of a {passport.spec.architecture!r} network as its passport describes it"
        )
    if not all(bool(tensor.isfinite().all()) for tensor in state.values()):
        raise NetworkError("its weights hold numbers that are not finite")
    network.load_state_dict(state)
    return network.eval()


def _shapes(state: "Mapping[str, torch.Tensor]") -> dict[str, Any]:
    return {key: (tensor.shape, tensor.dtype) for key, tensor in state.items()}


def _history(content: bytes) -> bytes:
    try:
        if not isinstance(json.loads(content.decode("utf-8")), dict):
            raise ValueError("no JSON object")
    except (ValueError, RecursionError) as error:
        raise NetworkError(f"its history is damaged ({error})") from error
    return content


def export_onnx_file(name: str, to: Path) -> dict[str, Any]:
    """Writes a network as an ONNX file, once ONNX Runtime answers `SAMPLES` samples with it as the network does.

    Returns `{"file", "input", "output", "classes", "largest_difference"}`; the file's metadata say the classes, the
    preprocessing and the temperature too. Raises `NetworkError` when the answers differ by more than `TOLERANCE`, or
    the file cannot be written; what was there before is then as it was.
    """
    to = Path(to)
    check_target(to)
    network = open_network(name)
    passport = network.passport
    module = network.module()
    model = export_onnx(
        module,
        passport.weights_sha256,
        classes=json.dumps(passport.classes),
        preprocessing=json.dumps(passport.preprocessing),
        temperature=repr(passport.temperature),
    )
    difference = largest_difference(module, model, passport)
    if not difference <= TOLERANCE:  # nor NaN
        raise NetworkError(
            f"{name!r} was not exported: as ONNX its answers differ by {difference:.2g} from its own, where "
            f"{TOLERANCE:g} is allowed; train it anew, with a lower learning rate."
        )
    write_file(to, model)
    return describe(passport, to) | {"largest_difference": difference}


def export_zip_file(name: str, to: Path) -> dict[str, Any]:
    """Writes a network as the ZIP of `export_zip`; returns `{"file", "input", "output", "classes"}`."""
    write_file(Path(to), export_zip(name))
    return describe(open_network(name).passport, Path(to))


def largest_difference(module: "Network", model: bytes, passport: Passport) -> float:
    """Between the logits of a network and of its ONNX model, over `SAMPLES` samples of what it reads."""
    import torch

    session = session_of(model)
    (asked,) = session.get_inputs()
    largest = 0.0
    for batch in np.array_split(_samples(passport), SAMPLES // 100):
        with torch.inference_mode():
            own = module.logits(torch.from_numpy(batch)).numpy()
        largest = np.maximum(largest, np.abs(session.run(None, {asked.name: batch})[0] - own).max())  # keeps NaN
    return float(largest)


def _samples(passport: Passport) -> np.ndarray:
    """Generated handwriting, or features as scaled ones are spread; the same every time."""
    if not passport.reads_glyphs:
        columns = len(passport.preprocessing["columns"])
        return np.random.default_rng(0).normal(size=(SAMPLES, columns)).astype(np.float32)
    from core.data.alphabet import DIGITS, GREEK
    from core.data.strokes import draw_glyphs

    symbols = [*DIGITS, *GREEK]
    glyphs = draw_glyphs([symbols[i % len(symbols)] for i in range(SAMPLES)], seed=0)
    return glyphs[:, None].astype(np.float32) / 255


def describe(passport: Passport, file: Path) -> dict[str, Any]:
    """What another program must know to use the exported network."""
    shape = [1, 28, 28] if passport.reads_glyphs else [len(passport.preprocessing["columns"])]
    return {
        "file": str(file),
        "input": {"name": passport.spec.takes, "shape": ["n", *shape], "type": "float32"},
        "output": {"name": "logits", "shape": ["n", len(passport.classes)], "type": "float32"},
        "classes": list(passport.classes),
    }


def check_target(to: Path) -> None:
    """Raises `NetworkError` where no file can be written to: ask before a network is converted."""
    if not to.parent.is_dir():
        raise NetworkError(f"The folder {to.parent} does not exist; make it first, or choose another.")
    if to.exists() and not to.is_file():
        raise NetworkError(f"{to} is a folder or device; give the path of a file, such as {to / 'network.onnx'}.")


def write_file(to: Path, content: bytes) -> None:
    """Writes an exported network whole, or not at all."""
    check_target(to)
    try:
        write_atomically(to, content)
    except OSError as error:
        raise NetworkError(
            f"{to} cannot be written ({error.strerror}), and what was there before is as it was; choose another place."
        ) from error
