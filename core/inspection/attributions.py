"""Where a network looked: what each pixel or feature adds to the score of a class, by four methods of Captum."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from captum.attr import FeatureAblation, IntegratedGradients, LayerAttribution, LayerGradCam, Occlusion, Saliency
from torch import Tensor, nn

from core.errors import NetworkError
from core.inspection.subject import Layer, Subject, logits

Progress = Callable[[int, int], None]  # (done, of how many)

INTEGRATED, GRAD_CAM, OCCLUSION, SALIENCY = "integrated gradients", "Grad-CAM", "occlusion", "saliency"
# How fine each method works: (for glyphs and tables, for photos). A photo costs a hundred times as much as a glyph.
STEPS = {"photos": 20}  # of the integral, Gauss-Legendre; the gap to completeness is told with every map
MOST_STEPS = 50  # Captum's own number, which glyphs and tables begin with
# While the gap is larger than this share of the score's change, the steps are doubled, up to four times as many.
LARGEST_GAP, DOUBLINGS = 0.05, 2
WINDOW = {"glyphs": (5, 2), "photos": (48, 24)}  # side of the occluding square and its stride, in pixels
BATCH = {"glyphs": 64, "features": 64, "photos": 8}  # inputs in one run, for the memory's sake


@dataclass(frozen=True)
class Method:
    """One way to ask where a network looked."""

    name: str
    about: str  # what its map shows, in plain words
    takes: tuple[str, ...] = ("glyphs", "photos", "features")


METHODS = {
    method.name: method
    for method in (
        Method(
            INTEGRATED,
            "What each pixel or feature adds to the class's score on the way from an empty input to this one; the "
            "parts add up to the whole change (Sundararajan et al. 2017).",
        ),
        Method(
            GRAD_CAM,
            "Where a layer's maps that speak for the class are active; coarse, since it is stretched from the "
            "layer's own size (Selvaraju et al. 2017).",
            ("glyphs", "photos"),
        ),
        Method(
            OCCLUSION,
            "How much the class's score falls when a square there is covered; a table's features are taken away one "
            "by one (Zeiler and Fergus 2014).",
        ),
        Method(
            SALIENCY,
            "How strongly the score reacts to a tiny change of each pixel or feature, whatever the direction "
            "(Simonyan et al. 2014).",
        ),
    )
}


@dataclass(frozen=True, eq=False)
class Attribution:
    """A method's answer for one class; a positive value speaks for the class."""

    method: str
    target: int  # the class, or the channel of a network without output layer
    values: np.ndarray  # (h, w) for a picture, summed over its channels (saliency: the largest); (F,) for a row
    gap: float | None = None  # integrated gradients: sum of the values less the score's change; 0 were exact
    change: float | None = None  # and that change: score of the input less score of the baseline
    steps: int | None = None  # of the integral

    @property
    def gap_share(self) -> float:
        """The gap as a share of the score's change; infinite where the score does not change, 0 for other methods."""
        if self.gap is None or self.change is None:
            return 0.0
        return abs(self.gap / self.change) if self.change else float("inf")


class Scores(nn.Module):
    """Inputs → the scores that are explained, `(N, C)`: the logits, or each channel's mean without an output layer.

    A table's networks have a fixed 0 as their first logit, which nothing could explain; there each of the two scores is
    its logit less the other's, on which alone the probabilities depend.

    It runs a copy of the subject's module that may be hooked: Captum hooks layers and needs their outputs as they
    were, so operations that write over their input are switched off in the copy.
    """

    def __init__(self, module: nn.Module, takes: str) -> None:
        super().__init__()
        self.takes = takes
        self.module = module.eval().requires_grad_(False)  # gradients of inputs and activations are all that is asked
        for part in self.module.modules():
            if getattr(part, "inplace", False):
                vars(part)["inplace"] = False
        self.progress: Callable[[int], None] | None = None

    def forward(self, inputs: Tensor) -> Tensor:
        made = logits(self.module, inputs)
        if self.progress is not None:
            self.progress(len(inputs))
        if self.takes == "features":
            return made - made.flip(1)
        return made.flatten(2).mean(2) if made.ndim > 2 else made


def baseline(inputs: Tensor) -> Tensor:
    """What stands for "nothing there": empty paper, the mean colour, the table's mean row; all are 0 as inputs."""
    return torch.zeros_like(inputs)


BASELINES = {"glyphs": "empty paper", "photos": "the mean colour of the training photos", "features": "the mean row"}


def score_names(subject: Subject) -> tuple[str, ...]:
    """What can be explained: the classes, or the channels of the last layer where there is no output layer."""
    if subject.classes:
        return subject.classes
    with torch.inference_mode():
        count = logits(subject.module, subject.example).shape[1]
    return tuple(f"channel {i + 1}" for i in range(count))


def liveliest(subject: Subject, inputs: Tensor) -> int:
    """The score that is largest: the answer, or the channel with the largest mean activation."""
    with torch.inference_mode():
        made = logits(subject.module, inputs)
    return int((made.flatten(2).mean(2) if made.ndim > 2 else made)[0].argmax())


def first_method(subject: Subject) -> str:
    """What to begin with: on a photo what takes one run, since the others take minutes in a large network.

    Of a transformer, whose only convolution cuts the picture into patches, that is saliency.
    """
    if subject.takes != "photos":
        return INTEGRATED
    return GRAD_CAM if len(subject.convolutions) > 1 else SALIENCY


def methods_for(subject: Subject) -> tuple[Method, ...]:
    """The methods that apply to this network."""
    return tuple(
        method
        for method in METHODS.values()
        if subject.takes in method.takes and (method.name != GRAD_CAM or subject.convolutions)
    )


def attribute(
    subject: Subject,
    inputs: Tensor,
    method: str,
    target: int,
    layer: Layer | None = None,
    progress: Progress | None = None,
    refine: bool = True,
) -> Attribution:
    """The map of `method` for one class of one input `(1, …)`.

    `refine`: whether integrated gradients take more steps while their gap is above `LARGEST_GAP`.

    `layer`: the convolution that Grad-CAM looks at; its last one unless said. Raises `NetworkError` for a method that
    does not apply, a layer that is no convolution and a class that there is none of.
    """
    if method not in {known.name for known in methods_for(subject)}:
        raise NetworkError(
            f"The method {method!r} does not apply to the network {subject.name!r}; choose one of: "
            f"{', '.join(known.name for known in methods_for(subject))}."
        )
    scores = Scores(subject.own_copy(), subject.takes)
    inputs = inputs.detach().clone()
    with torch.inference_mode():
        count = scores(inputs).shape[1]
    if not 0 <= target < count:
        raise NetworkError(f"The network {subject.name!r} has {count} scores, 0 to {count - 1}; {target} came.")
    if method == INTEGRATED:
        return _integrated(scores, inputs, target, subject.takes, progress, DOUBLINGS if refine else 0)
    if method == GRAD_CAM:
        return _grad_cam(scores, inputs, target, layer or subject.convolutions[-1])
    if method == OCCLUSION:
        return _occlusion(scores, inputs, target, subject.takes, progress)
    slope = Saliency(scores).attribute(inputs.requires_grad_(), target=target)
    return Attribution(SALIENCY, target, _flat(slope, largest=True))


def _integrated(
    scores: Scores, inputs: Tensor, target: int, takes: str, progress: Progress | None, doublings: int
) -> Attribution:
    """With as few steps as make the gap small, or with the most that are tried."""
    steps = STEPS.get(takes, MOST_STEPS)
    found = _integrate(scores, inputs, target, steps, BATCH[takes], progress)
    for _ in range(doublings):
        if found.gap_share < LARGEST_GAP or not found.change:
            break
        steps *= 2
        found = _integrate(scores, inputs, target, steps, BATCH[takes], progress)
    return found


def _integrate(
    scores: Scores, inputs: Tensor, target: int, steps: int, batch: int, progress: Progress | None
) -> Attribution:
    _count_runs(scores, steps, progress)
    parts, gap = IntegratedGradients(scores).attribute(
        inputs,
        baseline(inputs),
        target=target,
        n_steps=steps,
        internal_batch_size=batch,
        return_convergence_delta=True,
    )
    scores.progress = None
    return Attribution(INTEGRATED, target, _flat(parts), float(gap), float(parts.sum() - gap), steps)


def _grad_cam(scores: Scores, inputs: Tensor, target: int, layer: Layer) -> Attribution:
    """Signed: what speaks against the class is kept, so that two classes' maps can be set against each other."""
    convolution = scores.module.get_submodule(layer.path) if layer.path else None
    if not isinstance(convolution, nn.Conv2d):
        raise NetworkError(f"Grad-CAM looks at a convolution; {layer.title} is none.")
    coarse = LayerGradCam(scores, convolution).attribute(inputs.requires_grad_(), target=target)
    stretched = LayerAttribution.interpolate(coarse, tuple(inputs.shape[2:]), interpolate_mode="bilinear")
    return Attribution(GRAD_CAM, target, _flat(stretched))


def _occlusion(scores: Scores, inputs: Tensor, target: int, takes: str, progress: Progress | None) -> Attribution:
    if takes == "features":
        parts = FeatureAblation(scores).attribute(inputs, baseline(inputs), target=target)
        return Attribution(OCCLUSION, target, _flat(parts))
    side, stride = WINDOW[takes]
    channels, *sides = inputs.shape[1:]
    _count_runs(scores, int(np.prod([-(-(length - side) // stride) + 1 for length in sides])), progress)
    with torch.no_grad():
        parts = Occlusion(scores).attribute(
            inputs,
            sliding_window_shapes=(channels, side, side),
            strides=(channels, stride, stride),
            baselines=baseline(inputs),
            target=target,
            perturbations_per_eval=BATCH[takes],
        )
    scores.progress = None
    # Captum notes the same fall of the score at every channel that the square covers.
    return Attribution(OCCLUSION, target, _flat(parts[:, :1]))


def _count_runs(scores: Scores, total: int, progress: Progress | None) -> None:
    """Tells how far a method is by the inputs that it had run."""
    if progress is None:
        return
    done = 0

    def count(inputs: int) -> None:
        nonlocal done
        done = min(done + inputs, total)
        progress(done, total)

    scores.progress = count


def _flat(parts: Tensor, largest: bool = False) -> np.ndarray:
    """`(1, C, h, w)` → `(h, w)` and `(1, F)` → `(F,)`, float32."""
    one = parts.detach()[0]
    if one.ndim == 3:
        one = one.amax(0) if largest else one.sum(0)
    return one.numpy().astype(np.float32)
