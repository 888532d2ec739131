"""What a network is made of: frozen, validated specs, and the table of architectures."""

from dataclasses import asdict, dataclass
from typing import Any

from core.errors import NetworkError

# name → "module:class"; the modules import torch, so they are imported only when a network is built
ARCHITECTURES = {
    "report": "core.networks.report:Report",
    "digits": "core.networks.digits:Digits",
}


@dataclass(frozen=True)
class NetworkSpec:
    """All that is needed to build a network's layers; stored in its passport."""

    architecture: str
    classes: int = 10
    dropout: float = 0.5  # the reports' value; also the course's

    def __post_init__(self) -> None:
        if not isinstance(self.architecture, str) or self.architecture not in ARCHITECTURES:
            known = ", ".join(ARCHITECTURES)
            raise NetworkError(f"Unknown network architecture {self.architecture!r}; choose one of: {known}.")
        if not isinstance(self.classes, int) or isinstance(self.classes, bool) or not 2 <= self.classes <= 1000:
            raise NetworkError(f"A network needs 2 to 1000 classes, not {self.classes!r}.")
        if not isinstance(self.dropout, (int, float)) or not 0 <= self.dropout < 1:
            raise NetworkError(f"Dropout is a share from 0 up to, not including, 1; {self.dropout!r} came.")

    @classmethod
    def from_json(cls, record: Any) -> "NetworkSpec":
        """The spec written by `to_json`; raises `NetworkError` for missing, unknown or impossible fields."""
        if not isinstance(record, dict) or "architecture" not in record:
            raise NetworkError("A network's spec is a JSON object with the field 'architecture'.")
        unknown = set(record) - set(cls.__dataclass_fields__)
        if unknown:
            raise NetworkError(f"The network's spec has unknown fields: {', '.join(sorted(unknown))}.")
        return cls(**record)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
