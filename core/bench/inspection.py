"""How fast a network is looked into, changed and tested: what the page Inspect Layers waits for."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from statistics import median
from typing import Any

import numpy as np
import torch

from core.bench.jobs import temporary_home
from core.data import Samples, load
from core.inspection.attributions import GRAD_CAM, attribute, methods_for
from core.inspection.league import measure
from core.inspection.measuring import answers_of, costs
from core.inspection.pruning import Prune
from core.inspection.specimen import Specimen
from core.inspection.subject import Subject, open_subject
from core.inspection.surgery import Mute, operate
from core.networks import open_network
from core.networks.base import Network

TIMES = 5
NETWORKS = ("report", "digits")


def run() -> Iterator[dict[str, Any]]:
    """Needs MNIST; ResNet-18 has random weights, which take as long as trained ones."""
    test = load("mnist", "test")
    specimen = Specimen("glyphs", "test sample 1", test.images[0].numpy().astype(np.float32) / 255)
    for name in NETWORKS:
        subject = open_subject(open_network(name))
        inputs = subject.inputs(specimen)
        yield _timed(f"{name}: the outputs of all layers", partial(subject.activations, inputs))
        for method in methods_for(subject):
            yield _timed(f"{name}: {method.name} for one class", partial(attribute, subject, inputs, method.name, 7))
        muted = operate(subject.module, [Mute(subject.convolutions[0].path, (0,))])
        work = partial(answers_of, muted, test, 1.0)
        yield _timed(f"{name}: test accuracy on {len(test):,} samples after surgery", work, times=3)
        yield _pruned(subject, test)
    resnet = _resnet18()
    picture = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    yield _timed("ResNet-18, 224×224: Grad-CAM for one class", partial(attribute, resnet, picture, GRAD_CAM, 0))
    for name in NETWORKS:
        with temporary_home():
            what = f"{name}: the league's 15 corruptions at 5 strengths on 2,000 samples"
            yield _timed(what, partial(measure, open_network(name)), times=1)


def _timed(what: str, work: Callable[[], object], times: int = TIMES) -> dict[str, Any]:
    """Once for what only the first time costs, then the median."""
    if times > 1:
        work()
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    threads = torch.get_num_threads()
    return {"what": what, "figure": round(median(seconds), 3), "unit": "s", "n": times, "torch_threads": threads}


def _pruned(subject: Subject, test: Samples) -> dict[str, Any]:
    """What taking out the dead, the duplicate and the weakest tenth of its filters does to a network."""
    module = subject.module
    pruned = operate(module, [Prune(weakest=0.1)])
    assert isinstance(module, Network)
    assert isinstance(pruned, Network)
    before, after = costs([module, pruned])
    return {
        "what": f"{subject.name} without its dead, duplicate and weakest tenth of filters: accuracy",
        "figure": round(100 * answers_of(pruned, test, 1.0).accuracy, 2),
        "unit": "%",
        "before": round(100 * answers_of(module, test, 1.0).accuracy, 2),
        "parameters": [before.parameters, after.parameters],
        "latency_us": [round(before.latency_us), round(after.latency_us)],
    }


def _resnet18() -> Subject:
    from torchvision.models import get_model, get_model_weights

    from core.inspection.photo_networks import photo_subject

    torch.manual_seed(0)
    return photo_subject("resnet18", get_model("resnet18", weights=None).eval(), get_model_weights("resnet18").DEFAULT)
