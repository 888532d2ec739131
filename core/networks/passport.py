"""The passport: the JSON beside a weights file that says what the network is, what taught it and how well it does."""

import json
import re
import sys
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

# What a training's settings are, where they are told; others, of other versions, are plain values.
TEXTS = ("dataset", "network", "optimizer", "schedule", "loss", "augmentation", "precision", "device", "state")
COUNTS = ("epochs", "epochs_done", "batch_size", "negatives", "seed", "threads")
NUMBERS = ("learning_rate", "momentum", "weight_decay", "dropout", "averaging", "seconds")

# How a glyph must look for a network: MNIST's way, the only one there is (LeCun et al. 1998).
PREPROCESSING = {"size": 28, "longest_side": 20, "centre": "mass", "ink": "bright", "range": [0, 1]}


@dataclass(frozen=True)
class Passport:
    """Everything is validated on construction, before any weights are touched; raises `NetworkError`."""

    name: str
    spec: NetworkSpec
    classes: tuple[str, ...]
    weights_sha256: str
    data: dict[str, Any]  # name, and name, sha256 and samples of each training set and of the test set
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
        self._check_data()
        self._check_training()
        self._check_metrics()
        for key, version in self.versions.items():
            _expect(_is_text(key) and _is_text(version), "versions", "names with a text each", {key: version})
        self._check_preprocessing()

    def _check_classes(self) -> None:
        names = isinstance(self.classes, tuple) and all(isinstance(c, str) and c for c in self.classes)
        _expect(names, "classes", "a list of names", self.classes)
        if len(set(self.classes)) != self.spec.classes or len(self.classes) != self.spec.classes:
            raise NetworkError(
                f"it names {len(set(self.classes))} different classes, but its network has {self.spec.classes} outputs"
            )

    def _check_data(self) -> None:
        name, train, test = (self.data.get(key, usual) for key, usual in (("name", ""), ("train", []), ("test", {})))
        _expect(_is_text(name), "data.name", "the name of a data set", name)
        parts = "{} with the fields name, sha256 and samples"
        _expect(
            isinstance(train, list) and all(map(_is_part, train)), "data.train", parts.format("a list, each"), train
        )
        _expect(test == {} or _is_part(test), "data.test", parts.format("an object"), test)
        for key in ("validation_samples", "negatives"):
            _expect(_is_count(self.data.get(key, 0)), f"data.{key}", "a whole number", self.data.get(key))

    def _check_training(self) -> None:
        for key, value in self.training.items():
            _expect(_is_text(key) and _is_setting(value), f"training.{key}", "a plain value", value)
        kinds = [(TEXTS, _is_text, "a text"), (COUNTS, _is_count, "a whole number"), (NUMBERS, _is_number, "a number")]
        for keys, fits, expected in kinds:
            for key in keys:
                if key in self.training:
                    _expect(fits(self.training[key]), f"training.{key}", expected, self.training[key])
        also, more = self.training.get("also", []), self.training.get("more_epochs", [])
        _expect(isinstance(also, list) and all(map(_is_text, also)), "training.also", "a list of data sets", also)
        numbers = isinstance(more, list) and all(map(_is_count, more))
        _expect(numbers, "training.more_epochs", "a list of whole numbers", more)
        shape = self.training.get("cnn")
        _expect(shape is None or isinstance(shape, dict), "training.cnn", "a JSON object", shape)

    def _check_metrics(self) -> None:
        accuracy = self.metrics.get("test_accuracy", 0)
        _expect(_is_number(accuracy) and 0 <= accuracy <= 1, "metrics.test_accuracy", "a share from 0 to 1", accuracy)
        parameters = self.metrics.get("parameters", 0)
        _expect(_is_count(parameters), "metrics.parameters", "a whole number", parameters)
        for key, value in self.metrics.items():
            numbers = all(map(_is_number, value)) if isinstance(value, list) else _is_number(value)
            _expect(_is_text(key) and numbers, f"metrics.{key}", "a number or a list of numbers", value)

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
    """Whether a float can hold it; not for NaN, nor for JSON's endless integers."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value.isprintable()  # half a surrogate pair, as JSON may have it, is not


def _is_part(value: object) -> bool:
    """Whether it tells of a data set's part."""
    if not isinstance(value, dict):
        return False
    return _is_text(value.get("name")) and _is_sha256(value.get("sha256")) and _is_count(value.get("samples"))


def _is_setting(value: object) -> bool:
    """Whether it is a plain value, some of them, or an object of such: nothing nested deeper."""
    values = value.values() if isinstance(value, dict) else [value]
    inner = [part for one in values for part in (one if isinstance(one, list | tuple) else [one])]
    keys = list(value) if isinstance(value, dict) else []
    return all(part is None or isinstance(part, bool) or _is_number(part) or _is_text(part) for part in keys + inner)


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
