"""The chapter that looks into a network: its filters, what its layers make, where it looked, and how robust it is."""

from collections.abc import Iterator

import numpy as np
import plotly.graph_objects as go
import torch

from core.data import Samples
from core.errors import InklingError
from core.inspection import trust
from core.inspection.attributions import BASELINES, INTEGRATED, attribute
from core.inspection.bank import PATTERN, Bank, bank_of, dense_layers, filter_layers, flat_kernels
from core.inspection.corruptions import CORRUPTIONS, STRENGTHS
from core.inspection.effect import differences, effect_of
from core.inspection.filters import dead_filters, duplicate_filters
from core.inspection.kernel_shape import describe_kernel, frequency_response
from core.inspection.league import CLEAN, Standing, standing_of
from core.inspection.receptive import Field, fields
from core.inspection.rows import feature_texts
from core.inspection.specimen import Specimen
from core.inspection.subject import Layer, Subject, open_subject
from core.inspection.truncation import default_pair, in_words, kind_of
from core.inspection.units import TOP, Excitement, excite, seen_box, unit_layers
from core.networks import TrainedNetwork, open_network
from core.reading import written
from core.report.activation_figures import channel_maps, number_strip, token_heat
from core.report.attribution_figures import curves_figure, feature_bars, overlay_maps
from core.report.document import Block, Chapter, Figure, Heading, Table, Text
from core.report.figures import label_text, percent
from core.report.filter_figures import WIDE_PX, effect_grid, filter_grid, weight_table
from core.report.robustness_figures import league_figure
from core.report.unit_figures import excited_samples, mean_row
from core.training.tested import held_out

FILTERS = 20  # of the first layer that are shown,
EFFECTS = 8  # and of them those whose effect is
MAPS = 32  # channels of an output
ASKED = 1000  # test samples among which a right and a wrong answer are sought
EXCITING = 400  # test samples among which the most exciting are
UNITS = 3  # of one layer
DOCUMENT_PX = 830  # width of a figure in the document
REMOVED = {"glyphs": "pixels of ink", "features": "features"}


def examination_chapter(name: str) -> Chapter:
    """What the network `name` has learned and where it looks; what does not apply is left out with a sentence."""
    trained = open_network(name)
    subject = open_subject(trained)
    try:
        samples: Samples | str = held_out(trained.passport)
    except InklingError as error:
        samples = str(error)
    blocks: list[Block] = list(_filter_blocks(subject))
    if isinstance(samples, str):
        blocks.append(Text(f"What it makes of samples cannot be shown: {samples}"))
    else:
        first = _specimen(samples, 0)
        blocks += [*_effect_blocks(subject, first), *_output_blocks(subject, first)]
        blocks += [*_looked_blocks(trained, subject, samples), *_unit_blocks(trained, subject, samples)]
    return Chapter("Examination", [*blocks, *_robustness_blocks(trained)])


def _specimen(samples: Samples, index: int) -> Specimen:
    label, name = samples.classes[int(samples.labels[index])], f"test sample {index + 1}"
    if samples.is_table:
        return Specimen("features", name, samples.inputs[index].numpy(), label)
    return Specimen("glyphs", name, samples.images[index].numpy().astype(np.float32) / 255, label)


def _filter_blocks(subject: Subject) -> Iterator[Block]:
    yield Heading("The filters of the first layer")
    layers = filter_layers(subject)
    if not layers:
        yield from _weight_blocks(subject)
        return
    bank = bank_of(subject, layers[0])
    yield Text(f"{bank.layer.label}: weights {bank.in_words}.")
    kernels = flat_kernels(bank, 0 if bank.channels == 1 else PATTERN)[:FILTERS]
    count = len(kernels)
    shown = f"{count} of the {bank.count}" if count < bank.count else f"The {count}"
    what = "rows of weights" if bank.dense else "filters"
    responses = None if bank.dense or kernels[0].size == 1 else frequency_response(kernels)
    wide, narrow = (
        filter_grid(
            kernels, range(count), [str(i + 1) for i in range(count)], responses,
            f"{shown} {what} of {bank.layer.label}", float(np.abs(kernels).max()) or 1.0, small,
        )
        for small in (False, True)
    )  # fmt: skip
    about = "Weights: green is above zero, orange below, one scale for all."
    if responses is not None:
        about += (
            " Beside each, in blue, its frequency response: which waves it passes, slow ones in the middle, 0.5 cycles "
            "per pixel at the border."
        )
    yield Figure(_fitted(_lean(wide)), about, _lean(narrow))
    yield _filter_table(subject, bank, kernels)


def _lean(figure: go.Figure) -> go.Figure:
    """Without what the pointer would be told of each cell beyond its number: the file is to stay small."""
    for trace in figure.data:
        if isinstance(trace, go.Heatmap) and trace.customdata is not None:
            trace.update(customdata=None, hovertemplate="%{z:.3f}<extra></extra>", z=np.asarray(trace.z, np.float32))
    return figure


def _fitted(figure: go.Figure) -> go.Figure:
    """A figure of tiles as high as they need it in the document, which is narrower than the page they were made for."""
    if figure.layout.yaxis.visible is not False:  # it has axes, and is no figure of tiles
        return figure
    margin = figure.layout.margin.t + figure.layout.margin.b
    return figure.update_layout(height=margin + (figure.layout.height - margin) * DOCUMENT_PX // WIDE_PX)


def _filter_table(subject: Subject, bank: Bank, kernels: np.ndarray) -> Table:
    dead: tuple[int, ...] = ()
    twins: dict[int, int] = {}
    if not bank.dense:
        conv = subject.convolution(bank.layer)
        dead, twins = dead_filters(conv), {twin: kept for kept, twin in duplicate_filters(conv)}
    sums = bank.weights.reshape(bank.count, -1).sum(1)
    rows = [
        [
            i + 1,
            "–" if bank.dense else describe_kernel(kernel).words,
            f"{bank.norms[i]:.3f}",
            f"{sums[i]:.3f}",
            "–" if bank.bias is None else f"{bank.bias[i]:.3f}",
            "dead" if i in dead else f"like filter {twins[i] + 1}" if i in twins else "",
        ]
        for i, kernel in enumerate(kernels)
    ]
    columns = ["filter", "what it looks like", "norm", "sum of weights", "bias", "mark"]
    return Table(columns, rows, "What a filter looks like is told from its spectrum and symmetry, by a rule of thumb.")


def _weight_blocks(subject: Subject) -> Iterator[Block]:
    """Of a network that reads no picture."""
    dense = dense_layers(subject)
    if not dense:
        yield Text("This network has neither convolutions nor dense layers that read a picture.")
        return
    weights = subject.module.get_submodule(dense[0].path).get_parameter("weight").detach().numpy()
    names = subject.columns or tuple(f"feature {i + 1}" for i in range(weights.shape[1]))
    yield Text(
        f"A network for tables has no filters. Its first layer ({dense[0].label}) weighs every feature for every node: "
        f"{weights.shape[0]} nodes of {weights.shape[1]} features each."
    )
    title = f"First layer of {label_text(subject.name)}"
    yield Figure(
        weight_table(weights, names, title),
        "Green raises a node with the feature, orange lowers it; features are scaled, so weights can be compared.",
        weight_table(weights, names, title, narrow=True),
    )


def _effect_blocks(subject: Subject, specimen: Specimen) -> Iterator[Block]:
    if not subject.convolutions:
        return
    layer = subject.convolutions[0]
    bank = bank_of(subject, layer)
    chosen = tuple(range(min(EFFECTS, bank.count)))
    effect = effect_of(subject, layer, subject.inputs(specimen), chosen)
    kernels = bank.weights[list(chosen)].mean(1)
    parts = [("filter", kernels), ("filter2D", effect.by_filter2d), ("layer", effect.output)]
    if effect.activated is not None:
        parts.append(("activated", effect.activated))
    yield Heading("What they make of a sample")
    wide, narrow = (
        effect_grid(parts, chosen, f"{layer.label} on {specimen.name}", small) for small in (False, True)
    )  # fmt: skip
    after = f" Activated: after {effect.after}." if effect.activated is not None else ""
    yield Figure(
        _fitted(_lean(wide)),
        f"Left to right: the filter, OpenCV's filter2D of the picture, the layer's own output.{after} Green is above "
        "zero, orange below; each column has a scale of its own.",
        _lean(narrow),
    )
    yield Text("Why filter2D and the layer differ: " + " ".join(differences(subject, layer)))


def _output_blocks(subject: Subject, specimen: Specimen) -> Iterator[Block]:
    yield Heading("What comes out of its layers")
    pair = dict.fromkeys(default_pair(subject))
    made = subject.activations(subject.inputs(specimen), [layer.name for layer in pair])
    for layer in pair:
        values = made[layer.name][0].numpy()
        up_to = "the first layer" if layer.number <= 2 else f"the operations 1 to {layer.number} ({layer.label})"
        yield Text(f"After {up_to}: {in_words(layer)}.")
        if values.size == 1:
            yield Text(f"It is {values.item():.3f} of {specimen.name}.")
            continue
        wide, narrow = (_output_figure(subject, layer, values, small) for small in (False, True))
        about = f"What {specimen.name} becomes; clear is zero. {_shown(values)}"
        yield Figure(_fitted(_lean(wide)), about, _lean(narrow))


def _output_figure(subject: Subject, layer: Layer, values: np.ndarray, narrow: bool) -> go.Figure:
    title, kind = f"After {layer.number}. {layer.label}", kind_of(layer.shape)
    if kind == "maps" and values.shape[1:] != (1, 1):
        return channel_maps(values[:MAPS], title, "full", narrow)
    if kind == "tokens":
        return token_heat(values, title)
    names = subject.classes if layer.shape == (len(subject.classes),) and layer is subject.layers[-1] else None
    return number_strip(values.reshape(-1), title, names)


def _shown(values: np.ndarray) -> str:
    return f"The first {MAPS} of {len(values)} channels." if values.ndim == 3 and len(values) > MAPS else ""


def _looked_blocks(trained: TrainedNetwork, subject: Subject, samples: Samples) -> Iterator[Block]:
    yield Heading("Where it looked")
    yield Text(
        "Integrated gradients (Sundararajan et al. 2017): what each pixel or feature adds to the score of a class, "
        f"compared with {BASELINES[subject.takes]}. A map that looks convincing proves nothing, so each is tested."
    )
    inputs = samples.inputs[:ASKED].numpy()
    answers = trained.logits(inputs if samples.is_table else inputs.astype(np.float32) / 255).argmax(1)
    right = answers == samples.labels[:ASKED].numpy()
    untrained = trust.draw_untrained(subject)
    for is_right, said in ((True, "right"), (False, "wrong")):
        found = np.flatnonzero(right == is_right)
        if not len(found):
            yield Text(f"None of the first {len(right):,} test samples gets a {said} answer.")
            continue
        index = int(found[0])
        yield from _one_answer(trained, subject, _specimen(samples, index), int(answers[index]), untrained)


def _one_answer(
    trained: TrainedNetwork, subject: Subject, specimen: Specimen, answer: int, untrained: tuple[Subject, ...]
) -> Iterator[Block]:
    """The maps for the answer and for its rival: the truth where the answer is wrong, else the runner-up."""
    inputs = subject.inputs(specimen)
    probabilities = subject.probabilities(inputs)[0]
    names = [written(label) for label in subject.classes]
    truth = subject.classes.index(str(specimen.label))
    rival = truth if truth != answer else int(np.argsort(-probabilities)[1])
    maps = [attribute(subject, inputs, INTEGRATED, target) for target in (answer, rival)]
    judged = trust.judge(subject, inputs, maps[0], trust.chance(subject, inputs, answer), untrained)
    is_right = answer == truth
    yield Text(
        f"{specimen.name.capitalize()}, {'rightly' if is_right else 'wrongly'} read as {names[answer]}"
        f"{'' if is_right else f' in place of {names[truth]}'}, "
        f"{percent(float(probabilities[answer]))} sure."
    )
    title = label_text(f"for {names[answer]}"), label_text(f"for {names[rival]}")
    if subject.takes == "features":
        texts = feature_texts(trained.passport.preprocessing, specimen.pixels)
        figure = feature_bars(texts, maps[0].values, f"On {specimen.name}: for and against {label_text(names[answer])}")
        yield Figure(figure, "The longest bar decides most; to the right it speaks for the class, to the left against.")
    else:
        values = [maps[0].values, maps[1].values, maps[0].values - maps[1].values]
        captions = [*title, label_text(f"{names[answer]}, not {names[rival]}")]
        seen = subject.seen(inputs)
        wide, narrow = (
            overlay_maps(seen, values, captions, f"Where it looked on {specimen.name}", columns, side)
            for columns, side in ((3, 260), (2, 160))
        )
        yield Figure(wide, "Green raises the score of the class, orange lowers it.", narrow)
    yield Text(trust.in_words(judged, names[answer]))
    wide, narrow = (
        curves_figure(
            judged.curves, judged.chance, REMOVED[subject.takes], f"probability of {label_text(names[answer])}",
            "What is marked first, goes first or comes first", small,
        )
        for small in (False, True)
    )  # fmt: skip
    yield Figure(
        wide,
        "A map that marks what matters falls below the band of random orders when that is removed, and rises above it "
        "when that is added.",
        narrow,
    )


def _unit_blocks(trained: TrainedNetwork, subject: Subject, samples: Samples) -> Iterator[Block]:
    """The strongest samples of the first units of the layer in the middle that can be excited at all."""
    wanted = default_pair(subject)[1]
    layer = wanted if wanted.name in {one.name for one in unit_layers(subject)} else unit_layers(subject)[-1]
    asked = samples.inputs[:EXCITING]
    found = excite(subject, asked)[layer.name]
    units = [unit for unit in range(found.values.shape[1]) if not found.never_active(unit)][:UNITS]
    yield Heading("What excites its units")
    silent = sum(found.never_active(unit) for unit in range(found.values.shape[1]))
    yield Text(
        f"The samples among the first {len(asked):,} of the test on which a unit of {layer.title} answers most. "
        f"{silent or 'None'} of its {found.values.shape[1]} units stay silent on all of them."
    )
    field = fields(subject)[layer.name] if len(layer.shape) == 3 else None
    for unit in units:
        if samples.is_table:
            yield _exciting_rows(samples, found, unit)
        else:
            yield _exciting_glyphs(samples, found, unit, layer, field)


def _exciting_rows(samples: Samples, found: Excitement, unit: int) -> Figure:
    rows = samples.inputs[torch.from_numpy(found.samples[:, unit])].numpy()
    title = f"Unit {unit + 1}: the {len(rows)} rows that excite it most, on average"
    return Figure(mean_row(samples.columns, rows.mean(0), title), "Long bars: in this the rows differ from all others.")


def _exciting_glyphs(samples: Samples, found: Excitement, unit: int, layer: Layer, field: Field | None) -> Figure:
    order = torch.from_numpy(found.samples[:, unit])
    glyphs = samples.images[order].numpy()
    boxes = [seen_box(layer, field, place, (28, 28)) for place in found.places[:, unit]]
    labels = [label_text(samples.classes[int(label)]) for label in samples.labels[order]]
    captions = [f"{label}: {value:.2f}" for label, value in zip(labels, found.values[:, unit], strict=True)]
    title = f"Unit {unit + 1}: the {len(order)} samples that excite it most"
    wide, narrow = (excited_samples(glyphs, boxes, captions, columns, title) for columns in (TOP, 4))
    framed = " Framed: the pixels that it sees there." if field is not None else ""
    return Figure(wide, f"Over each: what it truly is, and the unit's output.{framed}", narrow)


def _robustness_blocks(trained: TrainedNetwork) -> Iterator[Block]:
    """What the league knows of the network; nothing is measured for a report."""
    yield Heading("How robust it is")
    if not trained.passport.reads_glyphs:
        yield Text("Corrupted handwriting does not apply to a network that takes rows of a table.")
        return
    try:
        standing = standing_of(trained.passport)
    except InklingError as error:
        yield Text(str(error))
        return
    if not standing.right:
        yield Text("It was not measured yet: the page Inspect Layers does so under Robustness, Measure.")
        return
    yield Text(_in_sentences(standing))
    kinds = [kind for kind in CORRUPTIONS if kind in standing.right]
    if kinds:
        yield Figure(
            league_figure(
                np.array([standing.accuracies(kind) for kind in kinds]), [CORRUPTIONS[kind].title for kind in kinds],
                [str(strength) for strength in STRENGTHS], "Right under each corruption", "strength", "corruption",
            ),
            "Each row is a corruption, weak to strong; where it turns red, most samples are misread.",
        )  # fmt: skip


def _in_sentences(standing: Standing) -> str:
    said = [
        f"Measured on {standing.samples:,} test samples under {len(standing.right) - 1} of {len(CORRUPTIONS)} kinds."
    ]
    if (clean := standing.accuracy(CLEAN)) is not None:
        low, high = standing.clean_interval
        said.append(f"Clean: {clean:.1%} right (95 % interval {low:.1%} to {high:.1%}).")
    if standing.complete:
        mean, low, high = standing.mean
        said.append(f"Over all kinds and strengths: {mean:.1%} (95 % interval {low:.1%} to {high:.1%}).")
    return " ".join(said)
