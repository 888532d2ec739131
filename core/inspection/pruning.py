"""Pruning: filters that say nothing, or what another one says already, are taken out, and the rest makes up for them.

What a removed filter gave to the layer behind it is kept as well as it can be. A dead one always gives the same: that
goes into the next layer's bias. Of two that look for the same, one takes over the other's outgoing weights. A weak
one's mean goes into the bias, so that only its ups and downs are lost (mean replacement; Molchanov et al. 2017 and
Li et al. 2017 simply drop it).
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor, nn

from core.data.alphabet import DIGITS, GREEK
from core.data.strokes import draw_glyphs
from core.errors import NetworkError
from core.inspection.filters import SAME, dead_filters, duplicate_filters
from core.inspection.surgery import Operation
from core.networks.base import Network, as_input
from core.networks.pruned import Outlet, outlets, remove_filters

REFERENCES = 136  # generated glyphs, four of each symbol, on which is measured what filters answer
STILL = 1e-4  # a channel is constant whose spread is below this share of the layer's largest answer
MOST_WEAK = 0.9  # share of a layer's filters


@dataclass(frozen=True)
class LayerPlan:
    """What is to be done to one convolution; filters are numbered from 0."""

    layer: str
    filters: int  # as many it has now
    dead: tuple[int, ...]
    twins: tuple[tuple[int, int], ...]  # (kept, removed)
    weak: tuple[int, ...]
    left: tuple[int, ...]  # dead or double by their weights, but not what they answer: they stay

    @property
    def gone(self) -> tuple[int, ...]:
        return tuple(sorted({*self.dead, *(removed for _, removed in self.twins), *self.weak}))


@dataclass(frozen=True)
class Prune(Operation):
    """Dead and duplicate filters are taken out, and the weakest share of every layer too."""

    cosine: float = SAME  # from which two filters are duplicates, by their weights and by what they answer
    weakest: float = 0.0  # share of each layer's filters, by the sum of their absolute weights (Li et al. 2017)

    def __post_init__(self) -> None:
        for name, value, low, high in (("cosine", self.cosine, 0.5, 1.0), ("weakest", self.weakest, 0.0, MOST_WEAK)):
            if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
                raise NetworkError(f"{name} is a number from {low:g} to {high:g}, not {value!r}.")

    def apply(self, module: nn.Module) -> None:
        """Raises `NetworkError` where nothing can be pruned or nothing is found."""
        network = _check_prunable(module)
        found = False
        for outlet in outlets(network).values():
            answers = _answers(network, outlet)
            plan = _plan(network, outlet, answers, self.cosine, self.weakest)
            if plan.gone:
                _make_up(network, outlet, plan, answers)
                remove_filters(network, outlet.layer, plan.gone)
                found = True
        if not found:
            raise NetworkError(
                "There is nothing to prune: no filter is dead and no two are alike. Mute one, take a smaller cosine, "
                "or let the weakest go too."
            )

    @property
    def described(self) -> str:
        weakest = f", and the weakest {self.weakest * 100:.0f} % of each layer" if self.weakest else ""
        return f"prune dead filters and duplicates (cosine {self.cosine:g}){weakest}"


def plan_pruning(module: nn.Module, cosine: float = SAME, weakest: float = 0.0) -> list[LayerPlan]:
    """What `Prune` would take out of each layer, as the network is now; raises `NetworkError` where none can lose any.

    Taking filters out of one layer changes the next one's a little, so pruning may find a filter more or less there.
    """
    network = _check_prunable(module)
    return [_plan(network, outlet, _answers(network, outlet), cosine, weakest) for outlet in outlets(network).values()]


def _check_prunable(module: nn.Module) -> Network:
    if not isinstance(module, Network):
        raise NetworkError("Networks for photos cannot be pruned here: a pruned one could not be kept.")
    if not outlets(module):
        raise NetworkError(
            f"The network {module.spec.architecture!r} has no convolution that could lose filters by itself."
        )
    return module


def _plan(network: Network, outlet: Outlet, answers: np.ndarray, cosine: float, weakest: float) -> LayerPlan:
    convolution = network.get_submodule(outlet.layer)
    assert isinstance(convolution, nn.Conv2d)
    spread = answers.max(1) - answers.min(1)
    still = spread <= STILL * max(float(np.abs(answers).max()), 1e-12)
    exact = (np.abs(answers).max(1) == 0) | (still & _folds_exactly(network, outlet))
    by_weights = sorted({*dead_filters(convolution), *_silenced(network, outlet)})
    dead = [f for f in by_weights if exact[f]]
    twins = [(kept, other) for kept, other in duplicate_filters(convolution, cosine) if other not in dead]
    alike = [pair for pair in twins if pair[0] not in dead and _cosine(answers[pair[0]], answers[pair[1]]) >= cosine]
    gone = {*dead, *(removed for _, removed in alike)}
    kept = {first for first, _ in alike}
    norms = convolution.weight.detach().abs().flatten(1).sum(1).numpy()
    others = [int(f) for f in np.argsort(norms, kind="stable") if f not in gone | kept]
    weak = others[: int(weakest * convolution.out_channels)]
    if len(gone) + len(weak) == convolution.out_channels:  # one must stay
        (weak if weak else dead).pop()
    left = sorted({*by_weights, *(removed for _, removed in twins)} - {*dead, *(r for _, r in alike), *weak})
    return LayerPlan(
        outlet.layer, convolution.out_channels, tuple(dead), tuple(alike), tuple(sorted(weak)), tuple(left)
    )


def _silenced(network: Network, outlet: Outlet) -> list[int]:
    """Filters of which the batch norm behind makes a constant: it multiplies them by 0."""
    norm = network.get_submodule(outlet.norm) if outlet.norm else None
    if not isinstance(norm, nn.BatchNorm2d) or not norm.affine:
        return []
    return torch.nonzero(norm.weight.detach() == 0).flatten().tolist()


def _folds_exactly(network: Network, outlet: Outlet) -> bool:
    """Whether a constant can go into the next bias without a change: not where zeros are padded around it."""
    taker = network.get_submodule(outlet.taker)
    if taker.bias is None and outlet.taker_norm is None:
        return False
    return isinstance(taker, nn.Linear) or not _pads(taker)


def _pads(layer: nn.Module) -> bool:
    assert isinstance(layer, nn.Conv2d)
    return layer.padding == "same" or (not isinstance(layer.padding, str) and any(layer.padding))


@cache
def _references() -> Tensor:
    symbols = [*DIGITS, *GREEK]
    return as_input(torch.from_numpy(draw_glyphs([symbols[i % len(symbols)] for i in range(REFERENCES)], seed=0)))


def _answers(network: Network, outlet: Outlet) -> np.ndarray:
    """What each channel of a convolution gives to the layer behind it, for the reference glyphs: `(C, M) float64`."""
    taken: list[Tensor] = []
    taker, convolution = network.get_submodule(outlet.taker), network.get_submodule(outlet.layer)
    hook = taker.register_forward_pre_hook(lambda module, inputs: taken.append(inputs[0]))
    try:
        with torch.inference_mode():
            network.eval().logits(_references())
    finally:
        hook.remove()
    channels = taken[0].reshape(REFERENCES, convolution.out_channels, -1)  # type: ignore[call-overload]
    return channels.transpose(0, 1).flatten(1).double().numpy()


def _cosine(a: np.ndarray, b: np.ndarray) -> float:
    """1 for two that never say anything."""
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / lengths if lengths else float(not a.any() and not b.any())


@torch.no_grad()
def _make_up(network: Network, outlet: Outlet, plan: LayerPlan, answers: np.ndarray) -> None:
    """Gives the next layer what it would miss; `answers` are the channels' `(C, M)`."""
    taker = network.get_submodule(outlet.taker)
    assert isinstance(taker, nn.Conv2d | nn.Linear)
    outputs, channels = len(taker.weight), plan.filters
    outgoing = taker.weight.view(outputs, channels, -1)  # (outputs, channels, pixels of a window or of the whole map)
    for kept, removed in plan.twins:
        square = float(answers[kept] @ answers[kept])
        times = float(answers[kept] @ answers[removed]) / square if square else 1.0  # least squares
        outgoing[:, kept] += times * outgoing[:, removed]
    constant = torch.zeros(outputs)
    for removed in plan.dead + plan.weak:
        constant += outgoing[:, removed].sum(1) * float(answers[removed].mean())
    if taker.bias is not None:
        taker.bias += constant
    elif outlet.taker_norm is not None:
        norm = network.get_submodule(outlet.taker_norm)
        assert isinstance(norm, nn.BatchNorm2d)
        assert norm.running_mean is not None
        norm.running_mean -= constant  # x + c is normalised as x is with a mean smaller by c
