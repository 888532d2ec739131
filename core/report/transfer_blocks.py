"""An attempt at teaching letters as blocks of a report: the plain answer first, then everything behind it."""

from collections.abc import Iterator, Mapping
from dataclasses import fields

import numpy as np

from core.networks.base import count_parameters
from core.reading import written
from core.report.curves import Curve, compare_curves
from core.report.document import Block, Chapter, Document, Figure, Heading, Table, Text
from core.report.figures import percent
from core.report.result_figures import confusion_figure
from core.report.sample_figures import glyph_grid
from core.report.transfer_figures import Series, growth_figure, letters_figure, methods_figure
from core.report.transfer_tables import (
    METHOD_TITLES,
    confusions,
    forgetting_series,
    layer_changes,
    letter_shares,
    method_row,
    method_series,
)
from core.transfer.attempt import Attempt
from core.transfer.learning_curve import LearningCurve

TITLE = "Teach letters"
PICTURES = 48  # with predictions, the wrong ones first
WIDE, NARROW = 8, 4  # of them in a row, and on a phone
LISTED = 300  # rows of the table of predictions
MEASURED_ON = {
    "test": "pictures of a test set, which taught nothing",
    "cross-validation": "the letters themselves, each read by a network that was taught without it",
    "training": "the pictures that taught, since none could be held back: they say nothing about others",
}
ABOUT = {
    "prototypes": "the output layer answers with the nearest mean of a letter's samples, as the frozen rest sees them",
    "head": "a new output layer was learned on the frozen rest",
    "top": "the dense layers learned on, the filters stayed as they were",
    "finetune": "all layers learned on, from samples changed anew in each epoch",
    "neighbours": "the most similar samples vote",
    "scratch": "the same architecture learned from random weights, for comparison",
}


def attempt_report(
    tried: Attempt, origins: Mapping[str, str] | None = None, curve: LearningCurve | None = None
) -> bytes:
    """An attempt as one self-contained HTML file, whether or not its network is kept."""
    title = f"{tried.letters.samples.name}, taught to {tried.source.name}"
    return Document(title, [attempt_chapter(tried, origins, curve)]).to_html().encode()


def attempt_chapter(
    tried: Attempt, origins: Mapping[str, str] | None = None, curve: LearningCurve | None = None
) -> Chapter:
    """`origins`: picture → where it comes from, for people; `curve` where it was computed."""
    return Chapter(TITLE, list(attempt_blocks(tried, origins or {}, curve)))


def attempt_blocks(tried: Attempt, origins: Mapping[str, str], curve: LearningCurve | None) -> Iterator[Block]:
    """Everything of one attempt, the plain answer first."""
    yield from _source_blocks(tried)
    yield from _answer_blocks(tried)
    yield from _change_blocks(tried)
    yield from _loss_blocks(tried)
    yield from _letter_blocks(tried)
    yield from _picture_blocks(tried, origins)
    if curve is not None:
        yield from _curve_blocks(curve)
    if tried.forgetting is not None:
        yield from _forgetting_blocks(tried)


def _source_blocks(tried: Attempt) -> Iterator[Block]:
    samples, config = tried.letters.samples, tried.config
    names = ", ".join(written(label) for label in samples.classes)
    yield Text(
        f"A copy of the network {tried.source.name} was taught {len(samples.classes)} letters ({names}) from "
        f"{len(samples)} pictures of the set {samples.name}. The method: {METHOD_TITLES[config.method]}; "
        f"{ABOUT[config.method]}."
    )
    if config.keep_classes:
        yield Text("It reads what the source reads, and the letters besides.")
    yield _grid_of_classes(tried)
    rows = [
        [field.name.replace("_", " "), str(getattr(config, field.name))]
        for field in fields(config)
        if field.name != "validate"
    ]
    yield Table(["setting", "value"], [*rows, ["seconds", f"{tried.seconds:.1f}"]])


def _grid_of_classes(tried: Attempt) -> Figure:
    """One picture of each letter that taught."""
    samples = tried.letters.samples
    first = [int((samples.labels == i).nonzero()[0, 0]) for i in range(len(samples.classes))]
    labels = list(samples.classes)
    wide, narrow = (
        glyph_grid(samples.images.numpy()[first], labels, labels, columns, "The first picture of each letter")
        for columns in (WIDE, NARROW)
    )
    return Figure(wide, "As the network gets them: 28 × 28 pixels, ink bright.", narrow)


def _answer_blocks(tried: Attempt) -> Iterator[Block]:
    yield Heading("How well it reads them")
    row = method_row(METHOD_TITLES[tried.config.method], tried)
    rows = []
    if row.tested is not None:
        rows.append(["on the test set", *_share_cells(row.tested.value, row.tested.low, row.tested.high),
                     row.tested.count])  # fmt: skip
    if row.validated is not None and tried.validation is not None:
        rows.append([f"by {tried.validation.kind}", *_share_cells(row.validated.value, row.validated.low,
                     row.validated.high), row.validated.count])  # fmt: skip
    rows.append(["on what taught it", f"{tried.train_accuracy:.1%}", "–", len(tried.letters.samples)])
    yield Table(
        ["measured", "right", "95 % interval", "pictures"], rows,
        "What is right on the pictures that taught says nothing about others: a network may know them by heart.",
    )  # fmt: skip
    if series := method_series([row]):
        yield Figure(methods_figure(series), "The point is what was measured, the bar its 95 % interval (Wilson).")
    first = tried.first_perfect_epoch
    if first is not None:
        yield Text(f"After epoch {first}, for the first time, all pictures that taught it were read rightly.")
    elif tried.epochs:
        yield Text("Not after any epoch all pictures that taught it were read rightly.")
    for note in tried.notes:
        yield Text(note)


def _share_cells(value: float, low: float, high: float) -> list[str]:
    return [f"{value:.1%}", f"{low:.1%} to {high:.1%}"]


def _change_blocks(tried: Attempt) -> Iterator[Block]:
    yield Heading("The network before and after")
    before = tried.source.module()
    yield Text(
        f"{count_parameters(before):,} parameters before, {tried.parameters:,} after; {tried.trainable:,} of them "
        f"learned, {tried.frozen:,} stayed as they were."
    )
    rows = [
        [c.name, c.kind, c.shape_before, c.shape_after, f"{c.parameters_before:,}", f"{c.parameters_after:,}",
         c.learned]
        for c in layer_changes(before, tried.network)
    ]  # fmt: skip
    columns = ["layer", "kind", "output before", "after", "parameters before", "after", "weights"]
    yield Table(columns, rows, "Found by comparing all weights with the source's. N is the number of samples.")


def _loss_blocks(tried: Attempt) -> Iterator[Block]:
    if not tried.epochs:
        return
    yield Heading("The loss by epoch")
    epochs = np.array([e.epoch for e in tried.epochs])
    asked = "test" if tried.test is not None else "the letters"
    curves = [
        Curve("learning", epochs, np.array([e.train_loss for e in tried.epochs])),
        Curve(asked, epochs, np.array([e.test_loss for e in tried.epochs])),
    ]
    yield Figure(
        compare_curves(curves, "epoch", "loss (nats per example)", "Loss, epoch by epoch", log=True),
        "On a logarithmic scale. How low it falls on letters that teach says nothing about letters that do not.",
    )
    rows = [[e.epoch, f"{e.train_loss:.4f}", f"{e.test_loss:.4f}", f"{e.seconds:.2f}"] for e in tried.epochs]
    yield Table(["epoch", "loss, learning", f"loss, {asked}", "seconds"], rows, "After each epoch.")


def _letter_blocks(tried: Attempt) -> Iterator[Block]:
    yield Heading("Letter by letter")
    yield Text(f"Measured on {MEASURED_ON[tried.measured_on]}.")
    shares = letter_shares(tried.predictions)
    yield Figure(letters_figure([Series("right", shares)]), "The bars are 95 % intervals: of few pictures, wide ones.")
    rows = [[written(s.name), s.count, *_share_cells(s.value, s.low, s.high)] for s in shares]
    yield Table(["letter", "pictures", "right", "95 % interval"], rows)
    counts, names = confusions(tried.predictions, tried.classes)
    yield Figure(
        confusion_figure(counts, names),
        "A row for each letter, a column for what it is read as. Green is right; red is a mistake.",
    )


def _picture_blocks(tried: Attempt, origins: Mapping[str, str]) -> Iterator[Block]:
    yield Heading("Picture by picture")
    ordered = sorted(tried.predictions, key=lambda p: (p.predicted == p.actual, p.confidence))
    of = tried.test or tried.letters
    glyphs = dict(zip(of.pictures, of.samples.images.numpy(), strict=True))
    shown = [p for p in ordered if p.image in glyphs][:PICTURES]
    if shown:
        more = f", {len(shown)} of {len(ordered)}" if len(shown) < len(ordered) else ""
        pictures, actual = np.stack([glyphs[p.image] for p in shown]), [p.actual for p in shown]
        wide, narrow = (
            glyph_grid(
                pictures, actual, [p.predicted for p in shown], columns, f"Wrong ones first, then the least sure{more}"
            )
            for columns in (WIDE, NARROW)
        )
        yield Figure(wide, "A wrong answer is framed with dashes and crossed.", narrow)
    rows = [
        [origins.get(p.image, p.image), written(p.actual), written(p.predicted) if p.predicted else "nothing found",
         percent(p.confidence) if p.predicted else "–", "yes" if p.predicted == p.actual else "no"]
        for p in ordered[:LISTED]
    ]  # fmt: skip
    about = f"The first {LISTED} of {len(ordered)}." if len(ordered) > LISTED else ""
    yield Table(["picture", "is", "read as", "confidence", "right"], rows, about)


def _curve_blocks(curve: LearningCurve) -> Iterator[Block]:
    yield Heading("How many samples it takes")
    yield Figure(
        growth_figure(curve.counts, curve.accuracies, curve.low, curve.high, curve.expected),
        f"Measured with {METHOD_TITLES[curve.method].lower()} on letters held out, {curve.letters} in all; the dashed "
        "part is an extension, not a measurement.",
    )
    for sentence in curve.advice:
        yield Text(sentence)


def _forgetting_blocks(tried: Attempt) -> Iterator[Block]:
    found = tried.forgetting
    assert found is not None
    yield Heading("What it forgot")
    low, high = found.lost_interval
    yield Text(
        f"Of the {len(found.after):,} test samples of {found.test_name}, {found.before.accuracy:.2%} were read rightly "
        f"before and {found.after.accuracy:.2%} after: {_points(found.lost)} points lost (95 % interval {_points(low)} "
        f"to {_points(high)})."
    )
    yield Figure(
        letters_figure(forgetting_series(found), "The old classes, before and after", "class", zoomed=True),
        "Where the diamond lies below the point, the class is read less well than before.",
    )
    for sentence in found.sentences:
        yield Text(sentence)


def _points(share: float) -> str:
    return f"{100 * share:.2f}".replace("-", "−")
