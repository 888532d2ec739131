"""torchvision's classification networks for photos: their names, and each of them with weights of three origins.

The weights are torchvision's own (fetched once by `core/networks/fetch.py`), a safetensors file at hand with
torchvision's key names, or random ones. The names are known without importing torch.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from core.errors import NetworkError
from core.paths import home_dir

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torchvision.models import WeightsEnum

FIRST = (  # one of each family, and the deepest
    "resnet18", "resnet152", "squeezenet1_1", "mobilenet_v3_small", "mobilenet_v3_large", "alexnet", "vgg16",
    "densenet121", "efficientnet_b0", "convnext_tiny", "vit_b_16",
)  # fmt: skip
OTHERS = (
    "convnext_base", "convnext_large", "convnext_small", "densenet161", "densenet169", "densenet201",
    "efficientnet_b1", "efficientnet_b2", "efficientnet_b3", "efficientnet_b4", "efficientnet_b5", "efficientnet_b6",
    "efficientnet_b7", "efficientnet_v2_l", "efficientnet_v2_m", "efficientnet_v2_s", "googlenet", "inception_v3",
    "maxvit_t", "mnasnet0_5", "mnasnet0_75", "mnasnet1_0", "mnasnet1_3", "mobilenet_v2", "regnet_x_16gf",
    "regnet_x_1_6gf", "regnet_x_32gf", "regnet_x_3_2gf", "regnet_x_400mf", "regnet_x_800mf", "regnet_x_8gf",
    "regnet_y_128gf", "regnet_y_16gf", "regnet_y_1_6gf", "regnet_y_32gf", "regnet_y_3_2gf", "regnet_y_400mf",
    "regnet_y_800mf", "regnet_y_8gf", "resnet101", "resnet34", "resnet50", "resnext101_32x8d", "resnext101_64x4d",
    "resnext50_32x4d", "shufflenet_v2_x0_5", "shufflenet_v2_x1_0", "shufflenet_v2_x1_5", "shufflenet_v2_x2_0",
    "squeezenet1_0", "swin_b", "swin_s", "swin_t", "swin_v2_b", "swin_v2_s", "swin_v2_t", "vgg11", "vgg11_bn", "vgg13",
    "vgg13_bn", "vgg16_bn", "vgg19", "vgg19_bn", "vit_b_32", "vit_h_14", "vit_l_16", "vit_l_32", "wide_resnet101_2",
    "wide_resnet50_2",
)  # fmt: skip
PHOTO_NETWORKS = FIRST + OTHERS
SEED = 0  # of random weights: the same ones whenever the same network is looked at
ROOM = 3  # times a network's weights that must fit into memory: itself, a copy to hook, and what its layers make


def pretrained_dir() -> Path:
    """The folder of fetched weights."""
    return home_dir() / "pretrained"


def published(name: str) -> dict[str, "WeightsEnum"]:
    """Version → torchvision's weights of the network, the best first; raises `NetworkError` for an unknown name."""
    from torchvision.models import get_model_weights

    if name not in PHOTO_NETWORKS:
        raise NetworkError(f"Unknown network for photos {name!r}; choose one of: {', '.join(PHOTO_NETWORKS)}.")
    versions = get_model_weights(name)
    best = versions.DEFAULT
    kept = [best, *(w for w in versions if w is not best)]
    return {weights.name: weights for weights in kept if weights.meta["categories"]}  # others have no classifier


def fetched_file(weights: "WeightsEnum") -> Path:
    """Where torchvision's weights lie once they are fetched."""
    return pretrained_dir() / f"{Path(weights.url).stem}.safetensors"


def untrained(name: str) -> "nn.Module":
    """The network with random weights, the same ones each time."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        return _build(name, next(iter(published(name).values())), initialise=True)


def pretrained(weights: "WeightsEnum") -> "nn.Module":
    """The network with torchvision's fetched weights; raises `NetworkError` where they are not at hand or damaged."""
    file = fetched_file(weights)
    if not file.is_file():
        raise NetworkError(f"The weights {weights.name} are not in {file.parent}; fetch them first.")
    try:
        return from_file(name_of(weights), file, weights=weights)[0]
    except NetworkError as error:
        raise NetworkError(f"{error} Delete {file} to fetch it anew.") from error


def from_file(
    name: str, file: Path, order: str = "RGB", standardised: bool = True, weights: "WeightsEnum | None" = None
) -> tuple["nn.Module", bool]:
    """A network with the weights of a safetensors file that has torchvision's key names, and whether it classifies.

    `order`: "RGB" or "BGR", of the file's input channels; the network that comes takes RGB.
    `standardised`: whether its inputs have torchvision's mean and spread; only GoogLeNet and Inception differ by it.
    Where the file has nothing of the classifier, the network ends with its features. Raises `NetworkError`.
    """
    from core.networks.weights_file import load_weights

    if order not in ("RGB", "BGR"):
        raise NetworkError(f"The colour order of the file is RGB or BGR, not {order!r}.")
    module = _build(name, weights or next(iter(published(name).values())), initialise=False)
    if hasattr(module, "transform_input"):
        module.transform_input = standardised  # type: ignore[assignment]  # a plain bool
    whole = load_weights(module, file, name, classifier_of(module))
    if order == "BGR":
        turn_channels(module)
    return (module if whole else features_of(module)), whole


def name_of(weights: "WeightsEnum") -> str:
    """`ResNet18_Weights.IMAGENET1K_V1` → `resnet18`."""
    return next(name for name in PHOTO_NETWORKS if weights in published(name).values())


def load_published(weights: "WeightsEnum", state: "dict[str, Tensor]") -> "nn.Module":
    """The network with the content of torchvision's own file; raises `NetworkError` where they do not fit."""
    module = _build(name_of(weights), weights, initialise=False)
    try:
        module.load_state_dict(_as_named_today(state), strict=True)
    except (RuntimeError, ValueError) as error:
        first = str(error).splitlines()[0]
        raise NetworkError(f"torchvision's weights {weights.name} do not fit its network: {first}") from error
    return module


def classifier_of(module: "nn.Module") -> str:
    """The name of the part that turns features into classes: the last child that has weights."""
    return [name for name, child in module.named_children() if any(True for _ in child.parameters())][-1]


def features_of(module: "nn.Module") -> "nn.Module":
    """The network without its classifier: feature maps come out where all before it is one `features`."""
    from collections import OrderedDict

    from torch import nn

    weighted = [name for name, child in module.named_children() if any(True for _ in child.parameters())]
    if weighted[:-1] == ["features"]:
        return nn.Sequential(OrderedDict(features=module.get_submodule("features"))).eval()
    setattr(module, weighted[-1], nn.Identity())
    return module


def turn_channels(module: "nn.Module") -> None:
    """Makes a network of BGR one of RGB, or the other way round: its first filters get their channels reversed."""
    from torch import nn

    first = next(part for part in module.modules() if isinstance(part, nn.Conv2d))
    assert first.in_channels == 3
    first.weight.data = first.weight.data.flip(1).contiguous()


def _build(name: str, weights: "WeightsEnum", initialise: bool) -> "nn.Module":
    """torchvision's network, without anything in it that writes over its input."""
    from torchvision.models import get_model

    from core.networks.photo_blocks import without_in_place

    _check_room(name, weights)
    options: dict[str, object] = {}
    if name in ("googlenet", "inception_v3"):  # as they were published; the auxiliary outputs serve training only
        options = {"aux_logits": False, "transform_input": True, "init_weights": initialise}
    elif name.startswith("vit"):
        options = {"image_size": weights.meta["min_size"][0]}
    return without_in_place(get_model(name, weights=None, **options))


def _check_room(name: str, weights: "WeightsEnum") -> None:
    needed, free = ROOM * 4 * weights.meta["num_params"], psutil.virtual_memory().available
    if needed > free:
        raise NetworkError(
            f"{name} needs about {needed / 1e9:.1f} GB of memory to be looked into, but {free / 1e9:.1f} GB are free; "
            "choose a smaller network."
        )


def _as_named_today(state: "dict[str, Tensor]") -> "dict[str, Tensor]":
    """torchvision's oldest files name a dense layer's parts `norm.1`, and hold outputs that only training uses."""
    import re

    for key in list(state):
        if key.startswith(("aux1.", "aux2.", "AuxLogits.")):
            del state[key]
        elif (new := re.sub(r"(denselayer\d+\.(?:norm|relu|conv))\.([12])", r"\1\2", key)) != key:
            state[new] = state.pop(key)
    return state
