"""A safetensors file of a network's weights: read without running anything in it, and checked before it is used."""

from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from core.errors import NetworkError

NAMED = 3  # keys of each kind that a message names
FLOATS = {"F16", "BF16", "F32", "F64"}
COUNTER = "num_batches_tracked"  # of a batch norm: a whole number, used in training only


def load_weights(module: nn.Module, file: Path, name: str, classifier: str) -> bool:
    """Puts the file's weights into the module; False where the file has nothing of the part named `classifier`.

    Raises `NetworkError` where the file cannot be read or does not fit: unknown, missing or misshapen keys, other
    numbers than floating ones, or numbers that are not finite. The module is changed only where all fits.
    """
    if file.suffix != ".safetensors" or not file.is_file():
        raise NetworkError(f"A file with the ending .safetensors was expected; {str(file)!r} is none that can be read.")
    wanted = module.state_dict()
    try:
        with safe_open(file, framework="pt") as opened:
            found = {key: opened.get_slice(key) for key in opened.keys()}  # noqa: SIM118 - no mapping
            whole = _check_keys(wanted, {key: tuple(part.get_shape()) for key, part in found.items()}, name, classifier)
            _check_kinds({key: part.get_dtype() for key, part in found.items()})
            state = {key: opened.get_tensor(key) for key in found}
    except (SafetensorError, OSError) as error:
        raise NetworkError(
            f"{file.name} is no safetensors file that can be read ({error}); export the weights with safetensors."
        ) from error
    wanted.update({key: _finite(key, value) for key, value in state.items()})
    module.load_state_dict(wanted)  # `wanted` carries the versions that some layers ask for
    return whole


def _check_keys(wanted: dict[str, Tensor], found: dict[str, tuple[int, ...]], name: str, classifier: str) -> bool:
    """Whether the classifier is there; raises where keys are unknown, missing or of other shapes."""
    whole = any(key.startswith(f"{classifier}.") for key in found)
    missing = [
        key
        for key in wanted
        if key not in found and not key.endswith(COUNTER) and (whole or not key.startswith(f"{classifier}."))
    ]
    unknown = [key for key in found if key not in wanted]
    misshapen = [
        f"{key} ({_by(shape)} in place of {_by(tuple(wanted[key].shape))})"
        for key, shape in found.items()
        if key in wanted and shape != tuple(wanted[key].shape)
    ]
    problems = [
        f"{len(keys)} {what}: {', '.join(keys[:NAMED])}{' and others' if len(keys) > NAMED else ''}"
        for what, keys in (("unknown", unknown), ("missing", missing), ("of another shape", misshapen))
        if keys
    ]
    if problems:
        raise NetworkError(
            f"The file's weights are not those of torchvision's {name}; choose the network that they were trained for. "
            f"Keys: {'; '.join(problems)}."
        )
    return whole


def _by(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "one number"


def _check_kinds(kinds: dict[str, str]) -> None:
    for key, kind in kinds.items():
        if kind not in FLOATS and not key.endswith(COUNTER):
            raise NetworkError(
                f"The file's {key} holds numbers of the kind {kind}; floating-point weights were expected "
                f"({', '.join(sorted(FLOATS))})."
            )


def _finite(key: str, value: Tensor) -> Tensor:
    if key.endswith(COUNTER):
        return value
    value = value.to(torch.float32)
    if not value.isfinite().all():
        raise NetworkError(f"The file's {key} holds numbers that are not finite; export the weights anew.")
    return value
