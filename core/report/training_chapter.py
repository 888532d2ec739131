"""The chapter about a training: its data, network, course, test and how to repeat it, as a course report asks."""

import shlex
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np

from core.data import Samples
from core.errors import InklingError
from core.networks import Passport, TrainedNetwork, open_network
from core.networks.passport import MAX_NAME
from core.networks.steps import trace_steps
from core.networks.summary import count_totals, summarise
from core.reading import open_recognizer
from core.reading.own_hand import LABELS, score_own_hand
from core.report.curves import accuracy_curves, learning_curves
from core.report.diagram import diagram_html
from core.report.document import Block, Chapter, Code, Figure, Heading, Html, Table, Text
from core.report.result_blocks import result_blocks
from core.report.sample_figures import first_samples, glyph_grid
from core.training.config import TrainingConfig
from core.training.recipes import recipe
from core.training.results import logits_of, result_of, wilson
from core.training.tested import CHANGED, has_changed, held_out, history_of

# Settings that the command always tells; others only where they differ from the network's recipe.
ALWAYS_TOLD = ("epochs", "batch_size", "learning_rate", "dropout", "seed")
UNSAID = ("also", "negatives")  # the command has no options for them
AGAIN = "-again"


def training_chapter(name: str) -> Chapter:
    """How the network `name` came to be and how well it does; of one that ships, as far as its passport tells.

    Whatever cannot be had (a data set that is gone, a history that was never kept) is left out with a sentence.
    """
    trained = open_network(name)
    blocks = [
        *_data_blocks(trained.passport),
        *_network_blocks(trained),
        *_course_blocks(trained),
        *_test_blocks(trained),
        *_own_hand_blocks(trained),
        *_repeat_blocks(trained.passport),
    ]
    return Chapter("Training", blocks)


def _test_samples(passport: Passport) -> Samples | str:
    """The test samples, or a sentence that says why there are none."""
    try:
        return held_out(passport)
    except InklingError as error:
        return str(error)


def _data_blocks(passport: Passport) -> Iterator[Block]:
    yield Heading("The data")
    samples = _test_samples(passport)
    taught = passport.data.get("train", [])
    for part in taught:
        yield Text(f"Taught by {part.get('samples', 0):,} samples of {part.get('name', 'a data set')}.")
    if isinstance(samples, str):
        yield Text(samples)
        return
    held_back = passport.data.get("validation_samples")
    validated = f" {held_back:,} of the training samples were held back to calibrate." if held_back else ""
    yield Text(f"Tested on {len(samples):,} samples of {len(samples.classes)} classes.{validated}")
    for note in samples.notes:
        yield Text(note)
    if samples.is_table:
        yield _table_of_features(samples)
    else:
        yield Figure(first_samples(samples), "As the network gets them: 28 × 28 pixels, ink bright.")


def _table_of_features(samples: Samples) -> Table:
    rows = [
        [i + 1, *(f"{value:.2f}" for value in row), samples.classes[label]]
        for i, (row, label) in enumerate(zip(samples.inputs[:6].tolist(), samples.labels[:6].tolist(), strict=True))
    ]
    return Table(["#", *samples.columns, "class"], rows, "The first six test samples, scaled as the network gets them.")


def _network_blocks(trained: TrainedNetwork) -> Iterator[Block]:
    network = trained.module()
    totals = count_totals(network)
    yield Heading("The network")
    yield Text(
        f"{trained.passport.spec.architecture}: {totals.parameters:,} parameters, {totals.trainable:,} of them "
        f"trainable; {totals.multiply_adds:,} multiply-adds for one sample."
    )
    yield Html(diagram_html(trace_steps(network)), "From the input to the log-probabilities; on the arrows, shapes.")
    rows = [[row.name, row.kind, row.output_shape, f"{row.parameters:,}", row.state] for row in summarise(network)]
    yield Table(["layer", "kind", "output", "parameters", "state"], rows, "N is the number of samples.")


def _course_blocks(trained: TrainedNetwork) -> Iterator[Block]:
    yield Heading("The training")
    settings = [[key.replace("_", " "), _plain(value)] for key, value in trained.passport.training.items()]
    yield Table(["setting", "value"], settings)
    history = history_of(trained)
    if history is None or not history.epochs:
        yield Text("No history was kept of this training, so there are no curves.")
        return
    epochs = history.epochs
    tested = [(e["examples"], e["test_loss"]) for e in epochs]
    if history.untrained:
        tested.insert(0, (0, history.untrained["test_loss"]))
    seen, losses = (np.array(values, float) for values in zip(*tested, strict=True))
    about = "Each batch's loss, its running mean, and the test loss after each epoch"
    about += ", first before any training." if history.untrained else "."
    curves = (np.array(history.examples, float), np.array(history.losses, float), seen, losses)
    unit = "squared error" if trained.passport.training.get("loss") == "mse" else "nats per example"
    for log, title in ((False, "Loss while learning"), (True, "The same on a logarithmic scale")):
        figure = learning_curves(*curves, log, title, unit, history.batches_a_point)
        yield Figure(figure, "" if log else about)
    epoch, train, test = (np.array([e[key] for e in epochs]) for key in ("epoch", "train_accuracy", "test_accuracy"))
    yield Figure(
        accuracy_curves(epoch, train, test),
        "Training accuracy is measured while learning, with dropout at work, so it may lie below the test's.",
    )
    rows = [
        [
            e["epoch"], f"{e['examples']:,}", f"{e['train_loss']:.4f}", f"{e['train_accuracy']:.2%}",
            f"{e['test_loss']:.4f}", f"{e['test_accuracy']:.2%}", f"{e['seconds']:.1f}",
        ]
        for e in epochs
    ]  # fmt: skip
    columns = ["epoch", "examples", "train loss", "train accuracy", "test loss", "test accuracy", "seconds"]
    yield Table(columns, rows, "After each epoch.")


def _test_blocks(trained: TrainedNetwork) -> Iterator[Block]:
    yield Heading("The test")
    passport, samples = trained.passport, _test_samples(trained.passport)
    if isinstance(samples, str):
        yield Text(samples)
        return
    if has_changed(passport, samples):
        yield Text(CHANGED)
    try:
        logits = logits_of(trained, samples)
    except InklingError as error:
        yield Text(str(error))
        return
    yield from result_blocks(result_of(logits, samples.labels.numpy(), samples.classes, passport.temperature), samples)


def _own_hand_blocks(trained: TrainedNetwork) -> Iterator[Block]:
    if not trained.passport.reads_glyphs or not set(LABELS) <= set(trained.passport.classes):
        return
    score = score_own_hand(open_recognizer(trained.name))
    yield Heading("My own hand")
    if score is None:
        yield Text("No digits of my own have been kept yet.")
        return
    low, high = wilson(score.right, score.of)
    gap = score.gap_points
    yield Text(
        f"{score.right} of {score.of} digits in my own handwriting are read right: {score.accuracy:.1%} "
        f"(95 % interval {low:.1%} to {high:.1%})"
        + (f", {gap:.1f} points below the test accuracy." if gap is not None and gap > 0 else ".")
        + (f" {int(score.refused.sum())} of them would be refused." if score.refused.any() else "")
    )
    yield Figure(
        glyph_grid(score.glyphs * 255, score.labels, score.predictions, columns=5, title="My own digits"),
        "As the network sees them; a wrong answer is framed with dashes and crossed.",
    )


def _repeat_blocks(passport: Passport) -> Iterator[Block]:
    yield Heading("To repeat it")
    command = repeat_command(passport)
    if command is None:
        yield Text("This network was made in a way that one command cannot repeat.")
    else:
        yield Code(command)
        if unsaid := _unsaid(passport):
            yield Text(f"The command has no option for these settings, which are not the network's usual: {unsaid}.")
    if passport.training.get("more_epochs"):
        epochs = ", then ".join(str(count) for count in passport.training["more_epochs"])
        yield Text(f"Then it was continued for {epochs} more epochs.")
    rows = [["seed", str(passport.seed)]]
    rows += [[f"{part['name']}, training: SHA-256", part["sha256"]] for part in passport.data.get("train", [])]
    if test := passport.data.get("test"):
        rows.append([f"{test['name']}, test: SHA-256", test["sha256"]])
    rows.append(["weights: SHA-256", passport.weights_sha256])
    rows += [[key, value] for key, value in passport.versions.items()]
    yield Table(["what", "value"], rows, "The same on the same machine gives the same weights.")


def repeat_command(passport: Passport) -> str | None:
    """The command that trains the network again; None where its training is no `train` of this version's."""
    config = _config(passport)
    if config is None:
        return None
    usual = recipe(config.network).to_json()
    words = ["python", "-m", "core", "train", "--dataset", config.dataset, "--network", config.network]
    for setting, value in config.to_json().items():
        if setting in ("dataset", "network", "more_epochs", "cnn", *UNSAID):
            continue
        if setting in ALWAYS_TOLD or value != usual[setting]:
            words += [_option(setting), str(value)]
    for dimension, value in (asdict(config.cnn) if config.cnn else {}).items():
        if isinstance(value, bool):
            words += [_option(dimension)] if value else []
        else:
            words += [_option(dimension), ",".join(map(str, value)) if isinstance(value, tuple) else str(value)]
    return shlex.join([*words, "--name", f"{passport.name[: MAX_NAME - len(AGAIN)]}{AGAIN}"])


def _config(passport: Passport) -> TrainingConfig | None:
    settings = {key: value for key, value in passport.training.items() if key in TrainingConfig.__dataclass_fields__}
    try:
        return TrainingConfig.from_json(settings)
    except InklingError:
        return None


def _unsaid(passport: Passport) -> str:
    """The settings that `repeat_command` cannot tell and that the network's recipe has otherwise."""
    config = _config(passport)
    if config is None:
        return ""
    told, usual = config.to_json(), recipe(config.network).to_json()
    return ", ".join(f"{setting} {_plain(told[setting])}" for setting in UNSAID if told[setting] != usual[setting])


def _option(setting: str) -> str:
    return "--lr" if setting == "learning_rate" else f"--{setting.replace('_', '-')}"


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key.replace('_', ' ')} {_plain(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value)) or "none"
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
