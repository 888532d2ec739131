"""Activation maximisation: the picture that excites a unit most, found by gradient ascent on the picture itself.

After Erhan et al. (2009) and Olah et al. (2017): jitter between the steps, and a pull towards little and smooth ink,
without which the result is noise that no sample looks like.
"""

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from core.errors import NetworkError
from core.inspection.receptive import fields
from core.inspection.subject import Layer, Subject
from core.inspection.units import Progress, by_unit, part_up_to, unit_count

STEPS = {"glyphs": 96, "photos": 64}
STEP = 0.06  # of the first step, in brightness; falls linearly to a tenth of it
JITTER = {"glyphs": 2, "photos": 12}  # pixels by which the picture is moved to either side in each step, at most:
JITTER_SHARE = 10  # a tenth of what the unit sees, or a small window's picture would be a blur
LITTLE = 0.25  # weight of the pull towards no ink, of a photo towards the mean colour (L2), and
SMOOTH = {"glyphs": 0.25, "photos": 0.4}  # towards equal neighbours (total variation), against a gradient of size 1
# Ascents from different noise, of which the best is kept: a single one may end in a lower place. A photo's takes long.
RESTARTS = {"glyphs": 3, "photos": 1}
PATIENCE = 8  # steps without any gradient, after which a start is given up
STARTS = 4  # with ever more noise: a unit behind a ReLU may be silent, without a gradient, where it starts


@dataclass(frozen=True, eq=False)
class Ideal:
    """What a unit wants to see."""

    inputs: Tensor  # (1, C, h, w), as the network takes them
    activation: float  # the unit's largest output on it
    before: float  # and on the noise that it began with


def maximise(
    subject: Subject, layer: Layer, unit: int, seed: int = 0, progress: Progress | None = None
) -> Ideal | None:
    """The picture, all pixels in [0, 1], that excites the unit most; of a map, its middle. None where nothing does.

    The best of `RESTARTS` ascents; `progress` is told of the steps of them all.

    Raises `NetworkError` for a network that takes rows of a table, and for a unit that there is none of.
    """
    if subject.takes == "features":
        raise NetworkError(
            f"The network {subject.name!r} takes rows of a table, which have no picture; choose one for glyphs."
        )
    if not 0 <= unit < unit_count(layer):
        raise NetworkError(f"{layer.title} has the units 0 to {unit_count(layer) - 1}; {unit} came.")
    part, generator = part_up_to(subject, layer), torch.Generator().manual_seed(seed)
    count, best = RESTARTS[subject.takes], None
    for i in range(count):
        tell = partial(_tell_of_all, progress, i, count) if progress else None
        found = _from_noise(subject, part, layer, unit, generator, tell)
        if found is None:  # noise of no strength shows it a direction
            break
        if best is None or found.activation > best.activation:
            best = found
    return best


def _tell_of_all(progress: Progress, ascent: int, count: int, done: int, total: int) -> None:
    progress(ascent * total + done, count * total)


def _from_noise(
    subject: Subject,
    part: torch.nn.Module,
    layer: Layer,
    unit: int,
    generator: torch.Generator,
    progress: Progress | None,
) -> Ideal | None:
    """One ascent, from noise as weak as shows a direction."""
    for start in range(STARTS):
        noise = (start + 1) / STARTS
        picture = torch.rand(subject.example.shape, generator=generator) * noise
        before = _largest(subject, part, layer, unit, picture)
        found = _ascend(subject, part, layer, unit, picture, generator, progress)
        if found is not None:
            after = _largest(subject, part, layer, unit, found)
            return Ideal(_scaled(subject, found), after, before)
    return None


def _ascend(
    subject: Subject,
    part: torch.nn.Module,
    layer: Layer,
    unit: int,
    picture: Tensor,
    generator: torch.Generator,
    progress: Progress | None,
) -> Tensor | None:
    """The picture after all steps, `(1, C, h, w)` in [0, 1]; None where it never had a gradient to follow."""
    steps, field = STEPS[subject.takes], fields(subject)[layer.name]
    reach = min(JITTER[subject.takes], min(field.size) // JITTER_SHARE if field else JITTER[subject.takes])
    followed = False
    for i in range(steps):
        moves = torch.randint(-reach, reach + 1, (2,), generator=generator).tolist()
        moved = picture.roll(moves, (2, 3)).requires_grad_()
        with torch.enable_grad():
            output = _middle(part(_scaled(subject, moved)), layer, unit)
            if not output.requires_grad:  # of weights alone, such as a bias by position: no picture changes it
                return None
            (gradient,) = torch.autograd.grad(output, moved)
        strength = gradient.square().mean().sqrt()
        if not followed and i == PATIENCE:
            return None
        if strength > 0:
            followed = True
            gradient = gradient / strength
        gradient = gradient.roll([-move for move in moves], (2, 3))
        pull = LITTLE * (picture - _channels(subject.mean)) + SMOOTH[subject.takes] * _roughness(picture)
        step = STEP * (1 - 0.9 * i / steps)
        picture = (picture + step * (gradient - pull)).clamp(0, 1)
        if progress is not None:
            progress(i + 1, steps)
    return picture if followed else None


def _roughness(picture: Tensor) -> Tensor:
    """The slope of the total variation at each pixel, in [-4, 4] (Rudin, Osher and Fatemi 1992, anisotropic)."""
    down, across = picture.diff(dim=2).sign(), picture.diff(dim=3).sign()
    slope = torch.zeros_like(picture)
    slope[:, :, 1:] += down
    slope[:, :, :-1] -= down
    slope[..., 1:] += across
    slope[..., :-1] -= across
    return slope


def _scaled(subject: Subject, picture: Tensor) -> Tensor:
    """A picture in [0, 1] as the network takes it."""
    return (picture - _channels(subject.mean)) / _channels(subject.spread)


def _channels(values: tuple[float, ...]) -> Tensor:
    return torch.tensor(values)[:, None, None]


def _middle(output: Tensor, layer: Layer, unit: int) -> Tensor:
    """The unit's output at the middle of its map; of tokens, which lie in no plane, the largest."""
    if len(layer.shape) == 3:
        return output[0, unit, layer.shape[1] // 2, layer.shape[2] // 2]
    return by_unit(output, layer.shape)[0, unit].max()


def _largest(subject: Subject, part: torch.nn.Module, layer: Layer, unit: int, picture: Tensor) -> float:
    with torch.no_grad():
        return float(by_unit(part(_scaled(subject, picture)), layer.shape)[0, unit].max())
