"""How fast training is: against pytorch/examples' MNIST script in the same run; and how fast strokes are drawn."""

import dataclasses
import time
from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

from core.data import load
from core.data.alphabet import DIGITS, GREEK
from core.data.strokes import draw_glyphs
from core.networks import NetworkSpec
from core.networks.base import build
from core.paths import data_dir
from core.training import recipe
from core.training.fit import EpochDone, fit

GOAL = 0.99  # of MNIST's test set
OUR_EPOCHS = 4  # the one-cycle schedule's length
THEIR_EPOCHS = 14  # the script's default; it is left as soon as the goal is reached
THREADS = 2


class ExampleNet(nn.Module):
    """The network of pytorch/examples, mnist/main.py, as it stands there."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, 1)
        self.conv2 = nn.Conv2d(32, 64, 3, 1)
        self.dropout1 = nn.Dropout(0.25)
        self.dropout2 = nn.Dropout(0.5)
        self.fc1 = nn.Linear(9216, 128)
        self.fc2 = nn.Linear(128, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.conv2(F.relu(self.conv1(x))))
        x = torch.flatten(self.dropout1(F.max_pool2d(x, 2)), 1)
        return F.log_softmax(self.fc2(self.dropout2(F.relu(self.fc1(x)))), dim=1)


def run() -> Iterator[dict[str, Any]]:
    yield _generator_speed()
    ours = _ours()
    yield ours
    theirs = _theirs()
    yield theirs
    reached = ours["reached_goal"] and theirs["reached_goal"]
    ratio = theirs["figure"] / ours["figure"]
    yield {"figure": round(ratio, 1), "unit": "times faster to 99.0 %", "both_reached_goal": reached}
    yield from _one_epoch()


def _one_epoch() -> Iterator[dict[str, Any]]:
    """`report` as the course trains it, 5 epochs with seed 1; and one epoch of it through a DataLoader."""
    config = recipe("report", seed=1, threads=THREADS)
    torch.manual_seed(config.seed)
    network = build(config.spec(10))
    events = fit(network, load("mnist", "train"), load("mnist", "test"), config)
    epochs = [event for event in events if isinstance(event, EpochDone)]
    ours_s = epochs[-1].seconds / len(epochs)
    theirs_s = _data_loader_epoch(build(config.spec(10)), config.batch_size)
    yield {
        "what": "report, 5 epochs, seed 1, batch 64",
        "figure": round(epochs[-1].test_accuracy, 4),
        "unit": "of MNIST test right",
    }
    yield {"what": "the same", "figure": round(ours_s, 2), "unit": "s an epoch, test included", "threads": THREADS}
    yield {"what": "the same through a DataLoader", "figure": round(theirs_s, 1), "unit": "s an epoch, without test"}
    yield {"figure": round(theirs_s / ours_s, 1), "unit": "times faster an epoch"}


def _data_loader_epoch(network: nn.Module, batch_size: int) -> float:
    """The usual loop: each sample is decoded, scaled and stacked by itself."""
    samples = datasets.MNIST(data_dir(), train=True, transform=transforms.ToTensor())
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
    network.train()
    started = time.perf_counter()
    for glyphs, labels in DataLoader(samples, batch_size=batch_size, shuffle=True):
        optimizer.zero_grad()
        F.nll_loss(network(glyphs), labels).backward()
        optimizer.step()
    return time.perf_counter() - started


def _generator_speed() -> dict[str, Any]:
    symbols = [*DIGITS, *GREEK] * 60
    draw_glyphs(symbols[:34], 0)
    started = time.perf_counter()
    draw_glyphs(symbols, 1)
    return {"figure": round(len(symbols) / (time.perf_counter() - started)), "unit": "stroke glyphs a second"}


def _ours() -> dict[str, Any]:
    train, test = load("mnist", "train"), load("mnist", "test")
    config = dataclasses.replace(recipe("report"), epochs=OUR_EPOCHS, threads=THREADS)
    torch.manual_seed(config.seed)
    epochs: list[EpochDone] = []
    for event in fit(build(NetworkSpec("report")), train, test, config):
        if isinstance(event, EpochDone):
            epochs.append(event)
            if event.test_accuracy >= GOAL:
                break
    return _record("report, whole tensors", epochs[-1].seconds, len(epochs), epochs[-1].test_accuracy)


def _theirs() -> dict[str, Any]:
    """The script's training loop with its defaults: DataLoader, Adadelta, a step schedule, seed 1."""
    torch.manual_seed(1)
    torch.set_num_threads(THREADS)
    transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
    train = DataLoader(datasets.MNIST(data_dir(), train=True, transform=transform), batch_size=64, shuffle=True)
    test = DataLoader(datasets.MNIST(data_dir(), train=False, transform=transform), batch_size=1000)
    network = ExampleNet()
    optimizer = torch.optim.Adadelta(network.parameters(), lr=1.0)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.7)
    started, accuracy, epoch = time.perf_counter(), 0.0, 0
    while epoch < THEIR_EPOCHS and accuracy < GOAL:
        epoch += 1
        network.train()
        for data, target in train:
            optimizer.zero_grad()
            F.nll_loss(network(data), target).backward()
            optimizer.step()
        schedule.step()
        accuracy = _example_accuracy(network, test)
    return _record("pytorch/examples' script", time.perf_counter() - started, epoch, accuracy)


def _example_accuracy(network: nn.Module, test: DataLoader) -> float:
    network.eval()
    with torch.no_grad():
        right = sum(int((network(data).argmax(1) == target).sum()) for data, target in test)
    return right / len(test.dataset)  # type: ignore[arg-type]


def _record(what: str, seconds: float, epochs: int, accuracy: float) -> dict[str, Any]:
    return {
        "what": what,
        "figure": round(seconds, 1),
        "unit": "s to 99.0 % of MNIST test",
        "epochs": epochs,
        "test_accuracy": round(accuracy, 4),
        "reached_goal": accuracy >= GOAL,
        "threads": THREADS,
    }
