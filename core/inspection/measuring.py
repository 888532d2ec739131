"""What a change does to a network: its test result, size and speed, before and after; and keeping what came out."""

import copy
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from safetensors.torch import save
from torch import nn

from core.data import Samples
from core.inspection.subject import logits
from core.inspection.surgery import Operation
from core.networks import TrainedNetwork, save_network
from core.networks.base import Network, as_input, count_parameters
from core.networks.runtime import export_onnx, session_of
from core.training.comparison import Candidate, Difference, compare
from core.training.results import Progress, TestResult, result_of

# Measured on 10,000 glyphs and two cores: in this memory order and such batches `digits` takes 1.3 s, `report` 0.5 s;
# in the usual order 1.3 to 4 s and 0.7 to 1.3 s. ONNX Runtime needs 1.4 and 0.2 s, but seconds to export a network.
BATCH = 250
WARM_UP = 20  # answers before the clock counts
ROUNDS, LONGEST_S = 1000, 2.0  # answers that are timed, and for how long at most


@dataclass(frozen=True)
class Cost:
    """What a network takes."""

    parameters: int
    bytes: int  # of the weights file
    latency_us: float  # microseconds for a single input: ONNX Runtime on one thread, median


def answers_of(module: nn.Module, samples: Samples, temperature: float, progress: Progress | None = None) -> TestResult:
    """The module's answers to all samples, by torch; `progress(done, total)` after each batch."""
    quick = copy.deepcopy(module).eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    found = []
    with torch.inference_mode():
        for start in range(0, len(samples), BATCH):
            inputs = as_input(samples.inputs[start : start + BATCH])
            if inputs.ndim == 4:
                inputs = inputs.to(memory_format=torch.channels_last)
            found.append(logits(quick, inputs))
            if progress is not None:
                progress(min(start + BATCH, len(samples)), len(samples))
    return result_of(torch.cat(found).numpy(), samples.labels.numpy(), samples.classes, temperature)


def difference_of(before: TestResult, after: TestResult) -> Difference:
    """Which of the two is better on the same samples, by McNemar's exact test."""
    same = "the same samples"
    return compare([Candidate("before", before, same), Candidate("after", after, same)]).differences[0]


def costs(networks: Sequence[Network]) -> list[Cost]:
    """Parameters, bytes and latency of networks that take the same inputs; they answer in turns, so that whatever
    else the machine does concerns all of them."""
    sessions = [session_of(export_onnx(network, "0" * 64)) for network in networks]
    one = {networks[0].INPUT_NAME: networks[0].example()[:1].numpy()}
    took: list[list[float]] = [[] for _ in networks]
    end = time.perf_counter() + LONGEST_S
    for round_ in range(WARM_UP + ROUNDS):
        for session, times in zip(sessions, took, strict=True):
            start = time.perf_counter()
            session.run(None, one)
            times.append(time.perf_counter() - start)
        if time.perf_counter() > end and round_ > WARM_UP:
            break
    return [
        Cost(count_parameters(network), len(save(_state(network))), float(np.median(times[WARM_UP:]) * 1e6))
        for network, times in zip(networks, took, strict=True)
    ]


def _state(network: Network) -> dict[str, torch.Tensor]:
    return {key: value.contiguous() for key, value in network.state_dict().items()}


def keep_changed(
    trained: TrainedNetwork,
    module: nn.Module,
    operations: Sequence[Operation],
    name: str,
    result: TestResult | None,
    moment: str = "",
) -> TrainedNetwork:
    """Keeps what surgery made of a stored network as a network of its own.

    Its passport tells what was done and to whom, and the test result (None: it could not be had). Temperature and
    refusal threshold are the original's: to fit them anew takes validation samples that taught neither. Raises
    `NetworkError` where it cannot be kept.
    """
    assert isinstance(module, Network)
    old = trained.passport
    metrics: dict[str, float] = {"parameters": count_parameters(module)}
    if result is not None:
        uncalibrated = result_of(result.logits, result.labels, result.classes)
        scores = torch.from_numpy(result.logits).logsumexp(dim=1)
        metrics |= {
            "test_accuracy": result.accuracy,
            "test_ece": result.calibration_error,
            "test_ece_uncalibrated": uncalibrated.calibration_error,
            "test_refused": float((scores < old.refusal_threshold).double().mean()),
        }
    of = trained.name + (f", {moment}" if moment else "")
    fields = {
        "name": name,
        "classes": old.classes,
        "data": old.data,
        "seed": old.seed,
        "training": old.training | {"surgery": [operation.described for operation in operations], "of": of},
        "metrics": metrics,
        "temperature": old.temperature,
        "refusal_threshold": old.refusal_threshold,
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__},
        "preprocessing": old.preprocessing,
    }
    return save_network(module, fields)
