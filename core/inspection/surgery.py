"""Surgery: filters muted, shaken, blurred or replaced, one operation after another, on a private copy of a network."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch import nn

from core.data import load
from core.errors import InklingError, NetworkError
from core.inspection.subject import logits
from core.networks.base import as_input
from core.networks.gabor import gabor_bank
from core.networks.pruned import following_norm

MOST_NOISE = 5.0  # standard deviations of a kernel: beyond, nothing of it is left
MOST_BLUR = 3.0  # pixels: beyond, a kernel is flat
MOST_SAMPLES = 5000  # that pass at once: more take memory and change the statistics little
NAMED = 8  # filters that a description names


class Operation(ABC):
    """One change of a network; frozen, and validated when it is made (`NetworkError`)."""

    @abstractmethod
    def apply(self, module: nn.Module) -> None:
        """Changes the module; raises `NetworkError` where it has no such layer or filter."""

    @property
    @abstractmethod
    def described(self) -> str:
        """What is done, in a few words, filters numbered from 1 as on the page; passports keep it."""


@dataclass(frozen=True)
class _OnFilters(Operation):
    layer: str  # path of a convolution, as its weights are named
    filters: tuple[int, ...]  # numbers from 0

    def __post_init__(self) -> None:
        numbers = isinstance(self.filters, tuple) and all(type(f) is int and f >= 0 for f in self.filters)
        if not numbers or not self.filters or len(set(self.filters)) < len(self.filters):
            raise NetworkError(f"Filters are one or more different whole numbers from 0, not {self.filters!r}.")

    def _convolution(self, module: nn.Module) -> nn.Conv2d:
        convolution = find_convolution(module, self.layer)
        if missing := [f for f in self.filters if f >= convolution.out_channels]:
            raise NetworkError(
                f"The layer {self.layer!r} has {convolution.out_channels} filters now: there is no filter "
                f"{missing[0] + 1}. Undo “{self.described}”, or what was done before it."
            )
        return convolution

    @property
    def _where(self) -> str:
        named = ", ".join(str(f + 1) for f in self.filters[:NAMED]) + (", …" if len(self.filters) > NAMED else "")
        return f"{self.layer}, filter{'s' if len(self.filters) > 1 else ''} {named}"


@dataclass(frozen=True)
class Mute(_OnFilters):
    """The filters answer 0 whatever comes: their weights and biases are 0, and what a batch norm behind makes of them.

    Behind an activation that makes something else of 0, as a sigmoid does, they say the same everywhere.
    """

    @torch.no_grad()
    def apply(self, module: nn.Module) -> None:
        convolution, index = self._convolution(module), list(self.filters)
        convolution.weight[index] = 0
        if convolution.bias is not None:
            convolution.bias[index] = 0
        norm = following_norm(module, self.layer)
        if norm is not None and norm.affine:
            norm.weight[index] = 0
            norm.bias[index] = 0

    @property
    def described(self) -> str:
        return f"mute {self._where}"


@dataclass(frozen=True)
class AddNoise(_OnFilters):
    """Gaussian noise on the weights; the same seed makes the same noise."""

    strength: float = 0.5  # in standard deviations of the filter's own weights
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_range("The noise's strength", self.strength, MOST_NOISE)
        _check_seed(self.seed)

    @torch.no_grad()
    def apply(self, module: nn.Module) -> None:
        convolution = self._convolution(module)
        generator = np.random.default_rng(self.seed)
        for index in self.filters:
            kernel = convolution.weight[index]
            noise = torch.from_numpy(generator.normal(size=tuple(kernel.shape)).astype(np.float32))
            kernel += noise * (self.strength * kernel.std(correction=0))

    @property
    def described(self) -> str:
        return f"noise on {self._where}: {self.strength:g} standard deviations, seed {self.seed}"


@dataclass(frozen=True)
class Blur(_OnFilters):
    """A Gaussian blur of each slice of the filters; beyond the edge the outermost weights go on."""

    sigma: float = 0.8  # pixels

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_range("The blur's width", self.sigma, MOST_BLUR)

    @torch.no_grad()
    def apply(self, module: nn.Module) -> None:
        convolution = self._convolution(module)
        for index in self.filters:
            slices = convolution.weight[index].numpy()  # (channels, h, w)
            blurred = gaussian_filter(slices, (0, self.sigma, self.sigma), mode="nearest")
            convolution.weight[index] = torch.from_numpy(blurred)

    @property
    def described(self) -> str:
        return f"blur {self._where}: σ {self.sigma:g} pixels"


@dataclass(frozen=True)
class UseGabor(Operation):
    """The first convolution looks for lines and edges of all orientations, as loudly as before; its biases stay.

    Filters whose weights are all 0 are muted and stay so; how loud the layer was is the mean norm of the others.
    """

    @torch.no_grad()
    def apply(self, module: nn.Module) -> None:
        convolution = first_convolution(module)
        filters, channels, height, width = convolution.weight.shape
        if height != width or height < 3:
            raise NetworkError(
                f"Gabor filters need a first layer with square filters of 3×3 pixels or more; this one's are "
                f"{height}×{width}."
            )
        norms = convolution.weight.flatten(1).norm(dim=1)
        sounding = norms > 0
        if not sounding.any():
            raise NetworkError(
                "All filters of the first layer are muted, and Gabor filters leave muted ones so; undo that first."
            )
        bank = gabor_bank(filters, height).expand(-1, channels, -1, -1) / channels**0.5  # a grey picture: all the same
        convolution.weight[sounding] = (bank * norms[sounding].mean())[sounding]

    @property
    def described(self) -> str:
        return "Gabor filters as the first layer"


@dataclass(frozen=True)
class ReestimateNorms(Operation):
    """Every batch norm takes its mean and variance from training samples, as the changed layers before it answer.

    All samples pass in one batch, so the statistics are exactly theirs (momentum None: a cumulative mean); no weight
    is trained. Raises `NetworkError` where there is no batch norm, or the data set cannot be had.
    """

    dataset: str  # as `core.data.load` knows it
    samples: int = 1000  # drawn from its training part
    seed: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.dataset, str) or not self.dataset:
            raise NetworkError(f"A data set is named by its name, not by {self.dataset!r}.")
        if type(self.samples) is not int or not 2 <= self.samples <= MOST_SAMPLES:
            raise NetworkError(
                f"Statistics are taken from 2 to {MOST_SAMPLES:,} training samples, a whole number, not "
                f"{self.samples!r}."
            )
        _check_seed(self.seed)

    @torch.no_grad()
    def apply(self, module: nn.Module) -> None:
        norms = batch_norms(module)
        if not norms:
            raise NetworkError("This network has no batch norm, so there are no statistics to be estimated anew.")
        inputs = self._inputs()
        momenta = [norm.momentum for norm in norms]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None
            norm.train()
        try:
            logits(module, inputs)
        finally:
            for norm, momentum in zip(norms, momenta, strict=True):
                norm.momentum = momentum
                norm.eval()

    def _inputs(self) -> torch.Tensor:
        try:
            part = load(self.dataset, "train")
        except InklingError as error:
            raise NetworkError(f"The training samples cannot be had now: {error}") from error
        chosen = np.sort(np.random.default_rng(self.seed).permutation(len(part))[: self.samples])
        return as_input(part.inputs[torch.from_numpy(chosen)])

    @property
    def described(self) -> str:
        return f"re-estimate batch norm: {self.samples:,} training samples of {self.dataset}, seed {self.seed}"


@dataclass(frozen=True)
class Record:
    """What was done, in order, and what was undone and can be done again; every step makes a new record."""

    done: tuple[Operation, ...] = ()
    undone: tuple[Operation, ...] = ()  # the last one comes back first

    def add(self, operation: Operation) -> "Record":
        return Record((*self.done, operation))

    def undo(self) -> "Record":
        return Record(self.done[:-1], (*self.undone, *self.done[-1:]))

    def redo(self) -> "Record":
        return Record((*self.done, *self.undone[-1:]), self.undone[:-1])

    def remove(self, number: int) -> "Record":
        """Without the operation of that place, counted from 0."""
        return Record(self.done[:number] + self.done[number + 1 :])


def operate(module: nn.Module, operations: Sequence[Operation]) -> nn.Module:
    """A copy of the module in eval mode with the operations done in order; the module itself stays as it is.

    Raises `NetworkError` for the first operation that cannot be done.
    """
    changed = copy.deepcopy(module).eval()
    for operation in operations:
        operation.apply(changed)
    return changed


def find_convolution(module: nn.Module, path: str) -> nn.Conv2d:
    """The convolution of that path; raises `NetworkError` where there is none."""
    found = dict(module.named_modules()).get(path)
    if not isinstance(found, nn.Conv2d):
        raise NetworkError(f"This network has no convolution {path!r}; choose one of {_paths(module)}.")
    return found


def first_convolution(module: nn.Module) -> nn.Conv2d:
    """The convolution that sees the picture itself; raises `NetworkError` where there is none."""
    found = next((m for m in module.modules() if isinstance(m, nn.Conv2d)), None)
    if found is None:
        raise NetworkError("This network has no convolution: there are no filters to be changed.")
    return found


def batch_norms(module: nn.Module) -> list[nn.BatchNorm1d | nn.BatchNorm2d]:
    """Those that keep statistics of what they saw in training."""
    norms = [m for m in module.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]
    return [norm for norm in norms if norm.track_running_stats]


def kernels_of(convolution: nn.Conv2d, index: int) -> np.ndarray:
    """What to show of a filter, `(K, h, w)`: all filters of a first layer, else this filter's slices.

    Filters on a colour picture are shown as the mean over the three colours.
    """
    weights = convolution.weight.detach().numpy()
    if weights.shape[1] in (1, 3):
        return weights.mean(axis=1).copy()
    return weights[index].copy()


def _paths(module: nn.Module) -> str:
    return ", ".join(path for path, m in module.named_modules() if isinstance(m, nn.Conv2d)) or "none"


def _check_range(what: str, value: object, most: float) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value <= most:
        raise NetworkError(f"{what} is a number above 0, {most:g} at most, not {value!r}.")


def _check_seed(seed: object) -> None:
    if type(seed) is not int or seed < 0:
        raise NetworkError(f"A seed is a whole number from 0, not {seed!r}.")
