"""The passport: the JSON beside a weights file that says what the network is, what taught it and how well it does."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from core.errors import NetworkError
from core.networks.spec import NetworkSpec

FORMAT = 1
MAX_BYTES = 1_000_000  # a passport is a few kilobytes; anything larger is something else


@dataclass(frozen=True)
class Passport:
    """Validated on construction and on reading, before the weights are touched."""

    name: str
    spec: NetworkSpec
    classes: tuple[str, ...]
    weights_sha256: str
    data: dict[str, Any]  # name, sha256, samples of each training set
    seed: int
    training: dict[str, Any]  # the training config
    metrics: dict[str, Any]  # parameters, test_accuracy, ece, ...
    temperature: float  # logits are divided by it for calibrated probabilities (Guo et al. 2017)
    refusal_threshold: float  # glyphs whose log-sum-exp of the logits is below are refused (energy score, Liu et al. 2020)
    versions: dict[str, str] = field(default_factory=dict)
    preprocessing: dict[str, Any] = field(
        default_factory=lambda: {"size": 28, "longest_side": 20, "centre": "mass", "ink": "bright", "range": [0, 1]}
    )
    format: int = FORMAT

    def __post_init__(self) -> None:
        if len(self.classes) != self.spec.classes or len(set(self.classes)) != len(self.classes):
            raise NetworkError(
                f"The passport of {self.name!r} names {len(set(self.classes))} different classes, "
                f"but its network has {self.spec.classes} outputs; it cannot be used."
            )

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"classes": list(self.classes)}


def read_passport(file: Path) -> Passport:
    """The passport in a file; raises `NetworkError` with what is wrong with it."""
    try:
        if file.stat().st_size > MAX_BYTES:
            raise NetworkError(f"{file} is too large for a passport ({file.stat().st_size:,} bytes).")
        record = json.loads(file.read_text("utf-8"))
        record["spec"] = NetworkSpec.from_json(record["spec"])
        record["classes"] = tuple(record["classes"])
        return Passport(**record)
    except FileNotFoundError as error:
        raise NetworkError(f"{file} is missing: a network needs its passport beside its weights.") from error
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise NetworkError(f"{file} is no passport of this version: {error}.") from error


def file_sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
