"""What a network is made of: frozen, validated specs, and the table of architectures."""

import re
from dataclasses import asdict, dataclass, field
from typing import Any

from core.errors import NetworkError


@dataclass(frozen=True)
class Architecture:
    """How a kind of network is built, and what for; known without importing torch."""

    builder: str  # "module:class"; the modules import torch, so they are imported only when a network is built
    takes: str = "glyphs"  # or "features": the rows of a table


ARCHITECTURES = {
    "report": Architecture("core.networks.report:Report"),
    "report-dropout2d": Architecture("core.networks.report:ReportDropout2d"),
    "keras": Architecture("core.networks.keras:Keras"),
    "mlp": Architecture("core.networks.mlp:Mlp"),
    "cnn": Architecture("core.networks.cnn:Cnn"),
    "gabor": Architecture("core.networks.gabor:Gabor"),
    "vit": Architecture("core.networks.vit:Vit"),
    "digits": Architecture("core.networks.digits:Digits"),
    "residual": Architecture("core.networks.residual:Residual"),
    "heart-11-10-1": Architecture("core.networks.heart:Heart", takes="features"),
    "heart-11-15-20-30-40-1": Architecture("core.networks.heart:Heart", takes="features"),
}
ACTIVATIONS = ("relu", "sigmoid", "tanh")
GLYPH_SIDE = 28  # pixels
MAX_PARAMETERS = 20_000_000  # fifty times the largest network that is of use on glyphs; more only fills the memory
POOL_PLACES = ("each", "last", "none")
FIRST_LAYERS = ("learned", "gabor")
LEAST_GABOR = 3  # pixels: smaller filters have no stripes
LAYER_PATTERN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}(\.[A-Za-z0-9_]{1,64}){0,9}")  # as weights are named
MOST_CHANNELS = 4096  # of any layer there is
MOST_LAYERS = 100  # that may be pruned


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
    first_layer: str = "learned"  # or "gabor": a fixed bank of Gabor filters, without biases

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
        for name, known in (
            ("pool_place", POOL_PLACES), ("activation", ACTIVATIONS), ("first_layer", FIRST_LAYERS),
        ):  # fmt: skip
            if getattr(self, name) not in known:
                raise NetworkError(f"{name} must be one of {', '.join(known)}, not {getattr(self, name)!r}.")
        _check_share("second_dropout", self.second_dropout)
        if not isinstance(self.batch_norm, bool):
            raise NetworkError(f"batch_norm must be true or false, not {self.batch_norm!r}.")
        if self.first_layer == "gabor" and self.filter_size < LEAST_GABOR:
            raise NetworkError(f"Gabor filters need a filter_size of {LEAST_GABOR} or more, not {self.filter_size}.")

    @property
    def filters_by_layer(self) -> tuple[int, ...]:
        return self.filters + (self.filters[-1],) * (self.conv_layers - len(self.filters))

    def pools_after(self, layer: int) -> bool:
        """Whether a max-pool follows the convolution of this number, counted from 1."""
        return self.pool_place == "each" or (self.pool_place == "last" and layer == self.conv_layers)


@dataclass(frozen=True)
class NetworkSpec:
    """All that is needed to build a network's layers; stored in its passport."""

    architecture: str
    classes: int = None  # type: ignore[assignment]  # unsaid: the two of a table's networks, ten for all others
    dropout: float = 0.5  # the reports' value; also the course's
    cnn: CnnShape | None = None  # the dimensions of `cnn`, which alone has free ones
    pruned: dict[str, int] | None = field(default=None, hash=False)  # convolution → how many filters are left of it

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
        if self.architecture == "cnn":
            object.__setattr__(self, "cnn", self.cnn or CnnShape())
        if self.pruned is not None:
            object.__setattr__(self, "pruned", _check_pruned(self.pruned))
        check_spec(self)

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


@dataclass(frozen=True)
class PlannedLayer:
    """A layer of `cnn` before it is built: `size` numbers come out of it."""

    name: str
    size: int
    parameters: int


def plan_cnn(shape: CnnShape, classes: int) -> list[PlannedLayer]:
    """The layers that have weights or change the number of pixels; raises `NetworkError` where no pixel is left."""
    side, channels, layers = GLYPH_SIDE, 1, []
    for i, filters in enumerate(shape.filters_by_layer, 1):
        if side < shape.filter_size:
            raise _no_pixels(
                f"conv {i}", f"its {shape.filter_size}×{shape.filter_size} filter", shape.filter_size, side
            )
        side -= shape.filter_size - 1
        biases = 2 * filters if shape.batch_norm else filters  # batch norm has a scale and an offset of its own
        if i == 1 and shape.first_layer == "gabor" and not shape.batch_norm:
            biases = 0
        layers.append(PlannedLayer(f"conv {i}", filters * side**2, channels * filters * shape.filter_size**2 + biases))
        channels = filters
        if shape.pools_after(i):
            if side < shape.pool_size:
                raise _no_pixels(f"pool {i}", "it", shape.pool_size, side)
            side //= shape.pool_size
            layers.append(PlannedLayer(f"pool {i}", channels * side**2, 0))
    layers.append(PlannedLayer("dense", shape.dense_nodes, (layers[-1].size + 1) * shape.dense_nodes))
    return [*layers, PlannedLayer("output", classes, (shape.dense_nodes + 1) * classes)]


def check_spec(spec: NetworkSpec) -> None:
    """Raises `NetworkError`, with the layer named, for a network that cannot work; builds nothing."""
    if spec.cnn is None:
        return
    layers = plan_cnn(spec.cnn, spec.classes)
    total, largest = sum(layer.parameters for layer in layers), max(layers, key=lambda layer: layer.parameters)
    if total > MAX_PARAMETERS:
        raise NetworkError(
            f"The network would have {total:,} parameters, {largest.parameters:,} of them in {largest.name}; "
            f"{MAX_PARAMETERS:,} is the most. Take fewer dense_nodes or filters, or more pooling."
        )


def _no_pixels(layer: str, what: str, needed: int, side: int) -> NetworkError:
    return NetworkError(
        f"{layer} would leave no pixels: {what} needs at least {needed}×{needed}, but only {side}×{side} come to it. "
        "Take fewer conv_layers, a smaller filter_size or less pooling."
    )


def shape_from_json(record: Any) -> CnnShape | None:
    """The dimensions of `cnn` as JSON or TOML has them; raises `NetworkError` for unknown or impossible ones."""
    if record is None:
        return None
    if not isinstance(record, dict):
        raise NetworkError("The dimensions of a 'cnn' are a JSON object.")
    _check_known("cnn", record, CnnShape)
    return CnnShape(**record)


def _check_pruned(pruned: Any) -> dict[str, int] | None:
    """A copy; None where nothing is pruned. Whether there are such layers is known once the network is built."""
    if not isinstance(pruned, dict):
        raise NetworkError(f"pruned is a JSON object of layers and numbers of filters, not {str(pruned)[:60]!r}.")
    if len(pruned) > MOST_LAYERS:
        raise NetworkError(f"pruned names {len(pruned)} layers; {MOST_LAYERS} is the most.")
    for layer, filters in pruned.items():
        if not isinstance(layer, str) or LAYER_PATTERN.fullmatch(layer) is None:
            raise NetworkError(f"pruned names layers as their weights are, such as 'conv1', not {str(layer)[:60]!r}.")
        _check_whole(f"pruned.{layer}", filters, 1, MOST_CHANNELS)
    return dict(pruned) or None


def _check_known(what: str, record: dict[str, Any], known: Any) -> None:
    if unknown := set(record) - set(known.__dataclass_fields__):
        raise NetworkError(f"The {what} has unknown fields: {', '.join(sorted(map(str, unknown)))}.")


def _check_whole(name: str, value: object, low: int, high: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise NetworkError(f"{name} must be a whole number from {low} to {high}, not {value!r}.")


def _check_share(name: str, value: object) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 1:
        raise NetworkError(f"{name} is a share from 0 up to, not including, 1; {value!r} came.")
