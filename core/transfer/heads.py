"""A trained network with another output layer, and what of it may still learn."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from scipy.optimize import minimize
from torch import Tensor, nn
from torchvision.ops import FrozenBatchNorm2d

from core.data import Samples
from core.errors import NetworkError
from core.networks.base import Network, as_input, build
from core.networks.spec import NetworkSpec
from core.training.calibration import fit_temperature

BATCH = 500  # glyphs that are embedded at once
# Of the covariance, towards the same spread in all directions. A heuristic: of five invented symbols (10 alphabets,
# `digits` as source) plain means read 94.4 %, 0.1 read 98.0 and 0.5 read 97.3; of handwritten letters, 0.1 lost one.
SHRINKAGE = 0.3
STEEPEST = (
    20.0  # that logits may become, in units of their spread, where letters and negatives are told apart without doubt
)


def output_layer(network: Network) -> tuple[str, nn.Linear]:
    """The name and the layer that makes the logits: the last dense one, with an output for each class."""
    name, layer = [(name, m) for name, m in network.named_modules() if isinstance(m, nn.Linear)][-1]
    if layer.out_features != network.spec.classes:
        raise NetworkError(
            f"The last dense layer of {network.spec.architecture!r} has {layer.out_features} outputs, not one for each "
            f"of its {network.spec.classes} classes; letters cannot be taught to it."
        )
    return name, layer


def with_classes(network: Network, classes: int) -> Network:
    """The same network, in eval mode, but for a new output layer with random weights for so many classes."""
    name, _ = output_layer(network)
    fresh = build(replace(network.spec, classes=classes))
    kept = {key: value for key, value in network.state_dict().items() if not key.startswith(f"{name}.")}
    fresh.load_state_dict(kept, strict=False)
    return fresh.eval()


def embed(body: Network | Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """What a network's embedding, or another part of it, makes of glyphs, `(N, D)`.

    `images` are `(N, 28, 28) uint8` or `(N, 1, 28, 28) float32`.
    """
    through = body.embed if isinstance(body, Network) else body
    with torch.inference_mode():
        rows = torch.cat([through(as_input(part)).flatten(1) for part in images.split(BATCH)])
    return rows.clone()  # no inference tensor: what is learned on it needs gradients


def nearest_means(embeddings: Tensor, labels: Tensor, classes: int) -> tuple[Tensor, Tensor]:
    """The weight `(C, D)` and bias `(C,)` that answer with the nearest class mean (Snell et al. 2017).

    Distances are measured in units of the spread within classes, in all directions (Mahalanobis's, as Bateni et al.
    2020 measure them), its covariance shrunk by `SHRINKAGE`. −½ (e − p)ᵀ S (e − p) = e·S p − ½ p·S p − ½ e·S e, whose
    last term all classes share: nearest means are a dense layer. Every class has samples.
    """
    rows = embeddings.double()
    means = torch.stack([rows[labels == number].mean(0) for number in range(classes)])
    within = rows - means[labels]
    covariance = within.T @ within / len(rows)
    usual = covariance.diagonal().mean().clamp(min=1e-12)
    eye = torch.eye(rows.shape[1], dtype=torch.float64)
    weight = torch.linalg.solve((1 - SHRINKAGE) * covariance + SHRINKAGE * usual * eye, means.T).T
    bias = -(weight * means).sum(1) / 2
    # Centred, which changes no probability: the part that all classes share would only run away from the logit 0 that
    # glyphs of no class have when such a layer is trained further.
    return (weight - weight.mean(0)).float(), (bias - bias.mean()).float()


def set_prototypes(layer: nn.Linear, embeddings: Tensor, labels: Tensor, negatives: Tensor | None = None) -> None:
    """Makes a dense layer answer with the nearest class mean, scaled so that its softmax fits these embeddings.

    With `negatives`, embeddings `(M, D)` of glyphs of no class, the scale and an offset that all classes share are
    such that these fit the logit 0 which "none of the classes" has when the layer is trained further. Without, such a
    training began with a loss of 45: it spent its steps on the negatives and forgot the letters over them.
    """
    weight, bias = nearest_means(embeddings, labels, layer.out_features)
    logits = embeddings @ weight.T + bias
    scale, offset = 1 / fit_temperature(logits, labels), 0.0
    if negatives is not None:
        scale, offset = _fit_with_none(logits, labels, negatives @ weight.T + bias)
    with torch.no_grad():
        layer.weight.copy_(weight * scale)
        layer.bias.copy_(bias * scale + offset)


def _fit_with_none(logits: Tensor, labels: Tensor, negatives: Tensor) -> tuple[float, float]:
    """The scale and offset that make the logits likeliest beside a class "none", which is all negatives', at logit 0.

    The loss is convex in both.
    """
    both = torch.cat([logits, negatives]).double()
    truth = torch.cat([labels, labels.new_full((len(negatives),), logits.shape[1])])
    spread = both.std()
    both = both / spread

    right = F.one_hot(truth, logits.shape[1] + 1)

    def loss(at: np.ndarray) -> tuple[float, np.ndarray]:
        """With its gradient."""
        fitted = F.pad(both * at[0] + at[1], (0, 1))
        off = (fitted.softmax(1) - right)[:, :-1] / len(right)
        return F.cross_entropy(fitted, truth).item(), np.array([(off * both).sum().item(), off.sum().item()])

    found = minimize(loss, np.array([1.0, 0.0]), jac=True, bounds=[(1e-3, STEEPEST), (-STEEPEST, STEEPEST)])
    return float(found.x[0] / spread), float(found.x[1])


def freeze_norms(module: nn.Module) -> None:
    """Batch norms keep what they learned of a large set: a few letters' means and spreads would not do."""
    for name, child in module.named_children():
        if isinstance(child, nn.BatchNorm2d):
            frozen = FrozenBatchNorm2d(child.num_features, child.eps)
            frozen.load_state_dict({k: v for k, v in child.state_dict().items() if k != "num_batches_tracked"})
            setattr(module, name, frozen)
        else:
            freeze_norms(child)


class OnEmbeddings(Network):
    """The last layers alone: what the frozen rest makes of the glyphs comes in as a table."""

    INPUT_NAME = "features"

    def __init__(self, spec: NetworkSpec, layer: nn.Module) -> None:
        super().__init__(spec)
        self.layer = layer

    def embed(self, inputs: Tensor) -> Tensor:
        return inputs

    def logits(self, inputs: Tensor) -> Tensor:
        return self.layer(inputs)


def as_table(samples: Samples, embeddings: Tensor) -> Samples:
    """The embeddings with the labels of the samples that they are of."""
    columns = tuple(f"number {i + 1}" for i in range(embeddings.shape[1]))
    return replace(samples, inputs=embeddings, columns=columns)
