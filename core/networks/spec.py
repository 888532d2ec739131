"""What a network is made of: frozen, validated specs, and the table of architectures."""

from dataclasses import asdict, dataclass
from typing import Any

from core.errors import NetworkError


@dataclass(frozen=True)
class Architecture:
    """How a kind of network is built, and what for; known without importing torch."""

    builder: str  # "module:class"; the modules import torch, so they are imported only when a network is built
    takes: str = "glyphs"  # or "features": the rows of a table


ARCHITECTURES = {
    "report": Architecture("core.networks.report:Report"),
    "digits": Architecture("core.networks.digits:Digits"),
    "heart-11-10-1": Architecture("core.networks.heart:Heart", takes="features"),
    "heart-11-15-20-30-40-1": Architecture("core.networks.heart:Heart", takes="features"),
}
ACTIVATIONS = ("relu", "sigmoid", "tanh")
POOL_PLACES = ("each", "last", "none")


@dataclass(frozen=True)
class CnnShape:
    """The dimensions of the free network `cnn`; convolutions do not pad and step by 1."""

    conv_layers: int = 2
    filters: tuple[int, ...] = (16, 32)  # of each layer; the last number holds for all layers after it
    filter_size: int = 3
    pool_size: int = 2
    pool_place: str = "each"  # max-pool after each convolution, after the last one, or none
    activation: str = "relu"
    dense_nodes: int = 128
    second_dropout: float = 0.0  # after the dense layer; the first one stands before it
    batch_norm: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.filters, int | list):  # as a TOML or JSON file has them
            object.__setattr__(
                self, "filters", (self.filters,) if isinstance(self.filters, int) else tuple(self.filters)
            )
        for name, low, high in (
            ("conv_layers", 1, 8),
            ("filter_size", 1, 28),
            ("pool_size", 1, 28),
            ("dense_nodes", 1, 4096),
        ):
            _check_whole(name, getattr(self, name), low, high)
        if not isinstance(self.filters, tuple) or not 1 <= len(self.filters) <= self.conv_layers:
            raise NetworkError(
                f"filters must be 1 to {self.conv_layers} whole numbers, one for each of the conv_layers at most, "
                f"not {self.filters!r}."
            )
        for filters in self.filters:
            _check_whole("filters", filters, 1, 512)
        for name, known in (("pool_place", POOL_PLACES), ("activation", ACTIVATIONS)):
            if getattr(self, name) not in known:
                raise NetworkError(f"{name} must be one of {', '.join(known)}, not {getattr(self, name)!r}.")
        _check_share("second_dropout", self.second_dropout)
        if not isinstance(self.batch_norm, bool):
            raise NetworkError(f"batch_norm must be true or false, not {self.batch_norm!r}.")

    @property
    def filters_by_layer(self) -> tuple[int, ...]:
        return self.filters + (self.filters[-1],) * (self.conv_layers - len(self.filters))


@dataclass(frozen=True)
class NetworkSpec:
    """All that is needed to build a network's layers; stored in its passport."""

    architecture: str
    classes: int = None  # type: ignore[assignment]  # unsaid: the two of a table's networks, ten for all others
    dropout: float = 0.5  # the reports' value; also the course's
    cnn: CnnShape | None = None  # the dimensions of `cnn`, which alone has free ones

    def __post_init__(self) -> None:
        if not isinstance(self.architecture, str) or self.architecture not in ARCHITECTURES:
            known = ", ".join(ARCHITECTURES)
            raise NetworkError(f"Unknown network architecture {self.architecture!r}; choose one of: {known}.")
        if self.classes is None:
            object.__setattr__(self, "classes", 10 if self.takes == "glyphs" else 2)
        _check_whole("classes", self.classes, 2, 1000)
        if self.takes == "features" and self.classes != 2:
            raise NetworkError(
                f"The network {self.architecture!r} has one output and tells 2 classes apart, not {self.classes}."
            )
        _check_share("dropout", self.dropout)
        if self.cnn is not None and self.architecture != "cnn":
            raise NetworkError(f"Only the network 'cnn' has free dimensions, not {self.architecture!r}.")

    @classmethod
    def from_json(cls, record: Any) -> "NetworkSpec":
        """The spec written by `to_json`; raises `NetworkError` for missing, unknown or impossible fields."""
        if not isinstance(record, dict) or "architecture" not in record:
            raise NetworkError("A network's spec is a JSON object with the field 'architecture'.")
        _check_known("network's spec", record, cls)
        return cls(**record | {"cnn": shape_from_json(record.get("cnn"))})

    @property
    def takes(self) -> str:
        """What the network's inputs are: "glyphs" or "features"."""
        return ARCHITECTURES[self.architecture].takes

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def shape_from_json(record: Any) -> CnnShape | None:
    """The dimensions of `cnn` as JSON or TOML has them; raises `NetworkError` for unknown or impossible ones."""
    if record is None:
        return None
    if not isinstance(record, dict):
        raise NetworkError("The dimensions of a 'cnn' are a JSON object.")
    _check_known("cnn", record, CnnShape)
    return CnnShape(**record)


def _check_known(what: str, record: dict[str, Any], known: Any) -> None:
    if unknown := set(record) - set(known.__dataclass_fields__):
        raise NetworkError(f"The {what} has unknown fields: {', '.join(sorted(map(str, unknown)))}.")


def _check_whole(name: str, value: object, low: int, high: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise NetworkError(f"{name} must be a whole number from {low} to {high}, not {value!r}.")


def _check_share(name: str, value: object) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 1:
        raise NetworkError(f"{name} is a share from 0 up to, not including, 1; {value!r} came.")
