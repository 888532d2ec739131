"""The passport: the JSON beside a weights file that says what the network is, what taught it and how well it does."""

import json
import math
import re
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, NoReturn

from core.errors import NetworkError
from core.networks.spec import NetworkSpec

FORMAT = 1
MAX_BYTES = 1_000_000  # a passport is a few kilobytes; anything larger is something else
MAX_NAME = 64
NAME_PATTERN = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{MAX_NAME - 1}}}")  # a folder's name on any system; no path
SHA256_PATTERN = re.compile(r"[0-9a-f]{64}")

# How a glyph must look for a network: MNIST's way, the only one there is (LeCun et al. 1998).
PREPROCESSING = {"size": 28, "longest_side": 20, "centre": "mass", "ink": "bright", "range": [0, 1]}


@dataclass(frozen=True)
class Passport:
    """Everything is validated on construction, before any weights are touched; raises `NetworkError`."""

    name: str
    spec: NetworkSpec
    classes: tuple[str, ...]
    weights_sha256: str
    data: dict[str, Any]  # name, sha256, samples of each training set
    seed: int
    training: dict[str, Any]  # the training config
    metrics: dict[str, Any]  # parameters, test_accuracy, ece, ...
    temperature: float  # logits are divided by it for calibrated probabilities (Guo et al. 2017)
    # Glyphs whose log-sum-exp of the logits is below are refused (the energy score of Liu et al. 2020).
    refusal_threshold: float
    runtime_sha256: str | None = None  # of the ONNX file beside the weights; without it that file is not used
    versions: dict[str, str] = field(default_factory=dict)
    # How a glyph must look; or how a table's rows become features: its "columns", and what its data set says of them.
    preprocessing: dict[str, Any] = field(default_factory=lambda: dict(PREPROCESSING))
    format: int = FORMAT

    def __post_init__(self) -> None:
        if self.format != FORMAT:
            raise NetworkError(f"its format is {self.format!r}, but this version of Inkling reads format {FORMAT}")
        _expect(is_name(self.name), "name", "letters, digits, '.', '_' and '-', 64 at most", self.name)
        _expect(isinstance(self.spec, NetworkSpec), "spec", "a network's spec", self.spec)
        self._check_classes()
        _expect(_is_sha256(self.weights_sha256), "weights_sha256", "64 hexadecimal digits", self.weights_sha256)
        if self.runtime_sha256 is not None:
            _expect(_is_sha256(self.runtime_sha256), "runtime_sha256", "64 hexadecimal digits", self.runtime_sha256)
        for key in ("data", "training", "metrics", "versions", "preprocessing"):
            _expect(isinstance(getattr(self, key), dict), key, "a JSON object", getattr(self, key))
        _expect(_is_number(self.seed) and isinstance(self.seed, int), "seed", "a whole number", self.seed)
        temperature_fits = _is_number(self.temperature) and self.temperature > 0
        _expect(temperature_fits, "temperature", "a number above 0", self.temperature)
        _expect(_is_number(self.refusal_threshold), "refusal_threshold", "a finite number", self.refusal_threshold)
        accuracy = self.metrics.get("test_accuracy", 0)
        _expect(_is_number(accuracy) and 0 <= accuracy <= 1, "metrics.test_accuracy", "a share from 0 to 1", accuracy)
        parameters = self.metrics.get("parameters", 0)
        _expect(
            _is_number(parameters) and isinstance(parameters, int), "metrics.parameters", "a whole number", parameters
        )
        self._check_preprocessing()

    def _check_classes(self) -> None:
        names = isinstance(self.classes, tuple) and all(isinstance(c, str) and c for c in self.classes)
        _expect(names, "classes", "a list of names", self.classes)
        if len(set(self.classes)) != self.spec.classes or len(self.classes) != self.spec.classes:
            raise NetworkError(
                f"it names {len(set(self.classes))} different classes, but its network has {self.spec.classes} outputs"
            )

    def _check_preprocessing(self) -> None:
        if self.reads_glyphs:
            _expect(self.preprocessing == PREPROCESSING, "preprocessing", str(PREPROCESSING), self.preprocessing)
            return
        columns = self.preprocessing.get("columns")
        names = isinstance(columns, list) and bool(columns) and all(isinstance(c, str) and c for c in columns)
        _expect(names, "preprocessing.columns", "a list of a table's column names", columns)
        _expect(_is_json(self.preprocessing), "preprocessing", "of JSON's values only", self.preprocessing)

    @property
    def reads_glyphs(self) -> bool:
        """Whether the network reads glyphs; others take the rows of a table."""
        return self.spec.takes == "glyphs"

    @property
    def dataset(self) -> str | None:
        """The name of what taught the network."""
        return self.data.get("name")

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"classes": list(self.classes)}


def is_name(name: object) -> bool:
    """Whether a network may be called so; no name leads out of the store's folder."""
    return isinstance(name, str) and NAME_PATTERN.fullmatch(name) is not None


def read_passport(file: Path) -> Passport:
    """The passport in a file; raises `NetworkError` with the file, what is wrong with it and the remedy."""
    try:
        if file.stat().st_size > MAX_BYTES:
            raise NetworkError(f"it is too large ({file.stat().st_size:,} bytes)")
        passport = parse_passport(file.read_bytes())
        if passport.name != file.parent.name:
            raise NetworkError(f"it is the passport of {passport.name!r}, not of {file.parent.name!r}")
        return passport
    except FileNotFoundError as error:
        raise NetworkError(
            f"{file} is missing: a network needs its passport beside its weights; restore it or remove the folder."
        ) from error
    except (NetworkError, OSError) as error:
        raise NetworkError(
            f"{file} is no valid passport: {_plain(error)}; restore weights and passport together, or train anew."
        ) from error


def parse_passport(content: bytes) -> Passport:
    """The passport that a file holds; raises `NetworkError` with what is wrong with it."""
    try:
        return _from_json(json.loads(content.decode("utf-8"), parse_constant=_refuse_constant))
    except (ValueError, RecursionError) as error:
        raise NetworkError(_plain(error)) from error


def _from_json(record: Any) -> Passport:
    if not isinstance(record, dict):
        raise NetworkError("it is not a JSON object")
    known = {f.name for f in fields(Passport)}
    required = known - {"runtime_sha256", "versions", "preprocessing"}
    if missing := sorted(required - set(record)):
        raise NetworkError(f"it lacks {', '.join(missing)}")
    if unknown := sorted(set(record) - known):
        raise NetworkError(f"it has unknown fields: {', '.join(unknown)}")
    classes = record["classes"]
    spec = NetworkSpec.from_json(record["spec"])
    return Passport(**record | {"spec": spec, "classes": tuple(classes) if isinstance(classes, list) else classes})


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")


def _expect(fits: bool, key: str, expected: str, received: object) -> None:
    if not fits:
        raise NetworkError(f"its field {key!r} should be {expected}, not {str(received)[:60]!r}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_sha256(value: object) -> bool:
    return isinstance(value, str) and SHA256_PATTERN.fullmatch(value) is not None


def _is_json(value: object) -> bool:
    try:
        return json.loads(json.dumps(value, allow_nan=False)) == value
    except (TypeError, ValueError):
        return False


def _plain(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError):
        return f"it is not JSON ({error})"
    if isinstance(error, OSError):
        return f"it cannot be read ({error.strerror})"
    return str(error).rstrip(".")
