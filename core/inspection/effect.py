"""What each filter makes of a picture: by OpenCV's `filter2D`, and by the layer itself; and why the two differ."""

from dataclasses import dataclass

import cv2
import numpy as np
from torch import Tensor, nn

from core.inspection.chain import activation_after, chain, source
from core.inspection.subject import Layer, Subject
from core.networks.steps import STANDARDISE


@dataclass(frozen=True, eq=False)
class Effect:
    """A convolution's filters on one picture; of each of the chosen filters one map."""

    filters: tuple[int, ...]
    by_filter2d: np.ndarray  # (K, H, W)
    output: np.ndarray  # (K, H', W'), with its bias
    activated: np.ndarray | None  # (K, H″, W″) after the activation; None where there is none
    after: str = ""  # the operations up to and with the activation: "max-pool 2×2, ReLU"


def filter2d(channels: np.ndarray, kernels: np.ndarray, dilation: tuple[int, int] = (1, 1)) -> np.ndarray:
    """OpenCV's `filter2D` of `(C, H, W)` with `(K, C, h, w)`, added up over the channels → `(K, H, W) float32`.

    It correlates, as a layer does; its anchor is the kernel's middle, `(h // 2, w // 2)`; what lies beyond the border
    is mirrored, without the border itself.
    """
    made = np.zeros((len(kernels), *channels.shape[1:]), np.float32)
    for k, kernel in enumerate(kernels):
        for channel, weights in zip(channels, kernel, strict=True):
            made[k] += cv2.filter2D(np.ascontiguousarray(channel, np.float32), cv2.CV_32F, _spread(weights, dilation))
    return made


def effect_of(subject: Subject, layer: Layer, inputs: Tensor, filters: tuple[int, ...]) -> Effect:
    """What the chosen filters of a convolution make of `(1, …)` inputs.

    `filter2D` gets what the layer reads; only where that is the standardised input, it gets the picture as it is.
    """
    conv = subject.convolution(layer)
    seen, link = _unstandardised(subject, layer), activation_after(subject, layer)
    names = [seen.name, layer.name] + ([link.layer.name] if link else [])
    made = {name: values[0].numpy() for name, values in subject.activations(inputs, names).items()}
    read = made[seen.name]
    if seen.number == 1 and subject.takes == "photos":
        read = subject.seen(inputs).transpose(2, 0, 1)
    chosen, per_group = list(filters), conv.out_channels // conv.groups
    weights, width = conv.weight.detach().numpy(), conv.in_channels // conv.groups
    maps = [
        filter2d(read[k // per_group * width : (k // per_group + 1) * width], weights[k : k + 1], _pair(conv.dilation))
        for k in chosen
    ]
    return Effect(
        filters,
        np.concatenate(maps),
        made[layer.name][chosen],
        made[link.layer.name][chosen] if link else None,
        _up_to_activation(subject, layer),
    )


def differences(subject: Subject, layer: Layer) -> tuple[str, ...]:
    """Why `filter2D` and this layer do not make the same, one sentence for each reason; true of this very layer."""
    conv = subject.convolution(layer)
    if conv.kernel_size == (1, 1):
        said = ["Both multiply each pixel by one weight of each channel: with kernels of one pixel no border counts."]
    else:
        said = [_about_place(conv), _about_padding(conv)]
    if conv.stride[0] > 1 or conv.stride[1] > 1:
        steps = str(conv.stride[0]) if conv.stride[0] == conv.stride[1] else f"{conv.stride[0]} and {conv.stride[1]}"
        said.append(f"The layer steps by {steps} pixels, so it keeps one of {conv.stride[0] * conv.stride[1]} sums.")
    if conv.dilation != (1, 1):
        said.append(f"Its weights stand {conv.dilation[0]} pixels apart, here for filter2D too.")
    if conv.groups > 1:
        said.append(f"Each filter reads only the channels of its own group, 1 of {conv.groups}; filter2D too here.")
    elif conv.in_channels > 1 and layer_reads_picture(subject, layer):
        said.append(f"The sums of the {conv.in_channels} colours are added up, for filter2D too.")
    elif conv.in_channels > 1:
        said.append(f"It reads {conv.in_channels} channels; their sums are added up, for filter2D too.")
    if _unstandardised(subject, layer) is not source(subject, layer) or _prepared(subject, layer):
        said.append(
            f"The layer reads the picture after it was {_how_prepared(subject, layer)}; filter2D here reads it as it "
            "is."
        )
    if conv.bias is None:
        said.append("The layer has no bias.")
    else:
        said.append("The layer adds each filter's bias.")
    return tuple(said)


def layer_reads_picture(subject: Subject, layer: Layer) -> bool:
    """Whether a convolution reads the input itself, standardised or not."""
    return _unstandardised(subject, layer).number == 1


def positions(conv: nn.Conv2d, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Where in `filter2D`'s map each row and each column of the layer's output stands; beyond it where it pads so."""
    pads = padding(conv)
    rows, columns = (
        np.arange(count) * conv.stride[i] - pads[i] + (conv.dilation[i] * (conv.kernel_size[i] - 1) + 1) // 2
        for i, count in enumerate((height, width))
    )
    return rows, columns


def padding(conv: nn.Conv2d) -> tuple[int, int]:
    """Rows above and columns to the left that a convolution pads with."""
    if conv.padding == "valid":
        return 0, 0
    if conv.padding == "same":
        return tuple((d * (k - 1)) // 2 for d, k in zip(conv.dilation, conv.kernel_size, strict=True))  # type: ignore
    return int(conv.padding[0]), int(conv.padding[1])


def _about_place(conv: nn.Conv2d) -> str:
    h, w = conv.kernel_size
    return (
        "Both lay the filter on the picture and add up pixel × weight without turning it over (a correlation); "
        f"filter2D notes the sum at the filter's pixel in row {h // 2 + 1}, column {w // 2 + 1}, and mirrors the "
        "picture beyond its border."
    )


def _about_padding(conv: nn.Conv2d) -> str:
    high, wide = padding(conv)
    if not high and not wide:
        return "The layer does not pad: it has sums only where the whole filter lies on the picture."
    by = f"{high} {'pixel' if high == 1 else 'pixels'}" if high == wide else f"{high} and {wide} pixels"
    what = "zeros" if conv.padding_mode == "zeros" else f"its own pixels ({conv.padding_mode})"
    return f"The layer pads the picture by {by} of {what} on every side, so the two differ at the border."


def _prepared(subject: Subject, layer: Layer) -> bool:
    return subject.takes == "photos" and source(subject, layer).number == 1


def _how_prepared(subject: Subject, layer: Layer) -> str:
    """What is done to a picture before this layer reads it, in words."""
    if not _prepared(subject, layer):
        return "standardised (less the mean, divided by the spread)"
    if all(np.isclose(spread, 1 / 255) for spread in subject.spread):
        means = ", ".join(f"{mean * 255:.4g}" for mean in subject.mean)
        return f"shifted but not standardised (on a scale from 0 to 255, less the mean colour {means}: Caffe's way)"
    means, spreads = (", ".join(f"{value:.3g}" for value in values) for values in (subject.mean, subject.spread))
    return f"standardised (less the mean {means}, divided by the spread {spreads}, for red, green and blue)"


def _unstandardised(subject: Subject, layer: Layer) -> Layer:
    read = source(subject, layer)
    return subject.layers[0] if read.label == STANDARDISE else read


def _up_to_activation(subject: Subject, layer: Layer) -> str:
    labels, last = [], activation_after(subject, layer)
    for link in chain(subject, layer):
        labels.append(link.layer.label)
        if last is None or link.layer is last.layer:
            break
    return ", ".join(labels) if last else ""


def _spread(weights: np.ndarray, dilation: tuple[int, int]) -> np.ndarray:
    """A dilated kernel with zeros between its weights."""
    wide = np.zeros([d * (n - 1) + 1 for d, n in zip(dilation, weights.shape, strict=True)], np.float32)
    wide[:: dilation[0], :: dilation[1]] = weights
    return wide


def _pair(size: tuple[int, ...]) -> tuple[int, int]:
    return int(size[0]), int(size[1])
