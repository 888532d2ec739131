"""The examination chapter: for every network, what applies to it; against networks' own weights and answers."""

import re

import numpy as np
import pytest
import torch
from plotly.offline import get_plotlyjs

from core.data import Samples, load
from core.inspection import league, trust
from core.networks import NetworkSpec, TrainedNetwork, open_network, save_network
from core.networks.base import build
from core.networks.spec import ARCHITECTURES
from core.report import examination_chapter as chapters
from core.report.chapters import CHAPTERS, report_html
from core.report.document import Chapter, Document, Figure, Heading, Table, Text
from core.report.examination_chapter import examination_chapter

HEADINGS = [
    "The filters of the first layer", "What they make of a sample", "What comes out of its layers", "Where it looked",
    "What excites its units", "How robust it is",
]  # fmt: skip
COLUMNS = tuple(f"column {i}" for i in range(11))
SCALED = {"columns": list(COLUMNS), "means": [50.0] * 11, "deviations": [2.0] * 11}


def few_samples(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(chapters, "ASKED", 60)
    patch.setattr(chapters, "EXCITING", 30)
    for setting, fewer in (("MOST_ORDERS", 2), ("MOST_DRAWS", 1), ("STEPS", 6)):
        patch.setattr(trust, setting, fewer)


def keep_fresh(architecture: str, patch: pytest.MonkeyPatch) -> str:
    torch.manual_seed(7)
    takes_rows = ARCHITECTURES[architecture].takes == "features"
    fields = {
        "name": "mine", "classes": ("healthy", "ill") if takes_rows else tuple("0123456789"),
        "data": {"name": "patients" if takes_rows else "digits-8x8"}, "seed": 1, "training": {}, "metrics": {},
        "temperature": 1.0, "refusal_threshold": 0.0,
    }  # fmt: skip
    if takes_rows:
        fields["preprocessing"] = SCALED
        rng = np.random.default_rng(0)
        rows = torch.from_numpy(rng.normal(size=(40, 11)).astype(np.float32))
        patients = Samples("patients", "test", rows, torch.arange(40) % 2, ("healthy", "ill"), COLUMNS)
        patch.setattr("core.training.tested.load", lambda name, part: patients)
    save_network(build(NetworkSpec(architecture)), fields)
    return "mine"


@pytest.fixture
def keep(monkeypatch):
    """`keep("vit")` → a stored network of that architecture with random weights, and few samples to ask."""
    few_samples(monkeypatch)
    return lambda architecture: keep_fresh(architecture, monkeypatch)


@pytest.fixture(scope="module")
def examined(tmp_path_factory) -> tuple[Chapter, TrainedNetwork]:
    """The chapter of a `report` network, and that network: examined once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INKLING_HOME", str(tmp_path_factory.mktemp("examined")))
        few_samples(patch)
        name = keep_fresh("report", patch)
        return examination_chapter(name), open_network(name)


def headings(chapter: Chapter) -> list[str]:
    return [block.text for block in chapter.blocks if isinstance(block, Heading)]


def texts(chapter: Chapter) -> str:
    return "\n".join(block.text for block in chapter.blocks if isinstance(block, Text))


def figures(chapter: Chapter) -> dict[str, Figure]:
    return {block.figure.layout.title.text: block for block in chapter.blocks if isinstance(block, Figure)}


@pytest.mark.parametrize("architecture", ["report", "mlp", "vit", "residual", "heart-11-10-1"])
def test_every_kind_of_network_is_examined_with_what_applies_to_it(keep, architecture):
    chapter = examination_chapter(keep(architecture))
    without_maps = architecture == "mlp" or ARCHITECTURES[architecture].takes == "features"
    assert headings(chapter) == [h for h in HEADINGS if not (without_maps and h == HEADINGS[1])]
    for title, block in figures(chapter).items():
        assert title
        assert block.about.endswith((".", ". ")), f"{title}: no sentence says what to see"
        assert 100 < block.figure.layout.height < 2500
    html = Document("x", [chapter]).to_html().replace(get_plotlyjs(), "")
    assert not re.search(r'(?:src|href)="(?:https?:)?//', html)
    assert len(html) < 3_000_000, "the drawing library adds five million"


def test_the_filters_are_the_networks_own(examined):
    chapter, network = examined
    weights = network.module().conv1.weight.detach().numpy()
    biases = network.module().conv1.bias.detach().numpy()
    assert "conv 10@5×5: weights [10, 1, 5, 5]: 10 filters, each over 1 channel, 5 rows by 5 columns." in texts(chapter)
    (table,) = [b for b in chapter.blocks if isinstance(b, Table)]
    assert [row[2] for row in table.rows] == [f"{np.linalg.norm(w):.3f}" for w in weights]
    assert [row[3] for row in table.rows] == [f"{w.sum():.3f}" for w in weights]
    assert [row[4] for row in table.rows] == [f"{b:.3f}" for b in biases]
    drawn = figures(chapter)["The 10 filters of conv 10@5×5"]
    for figure in (drawn.figure, drawn.narrow):
        shown = np.asarray(figure.data[0].z)
        np.testing.assert_allclose(np.sort(shown[np.isfinite(shown)]), np.sort(weights.ravel()), atol=1e-6)
        assert figure.data[0].customdata is None, "kept small"


def test_a_right_and_a_wrong_answer_are_those_of_the_network(examined):
    chapter, network = examined
    samples = load("digits-8x8", "test")
    answers = network.logits(samples.images[:60].numpy().astype(np.float32) / 255).argmax(1)
    right = answers == samples.labels[:60].numpy()
    first_right, first_wrong = int(np.flatnonzero(right)[0]), int(np.flatnonzero(~right)[0])
    true = [samples.classes[label] for label in samples.labels.tolist()]
    assert f"Test sample {first_right + 1}, rightly read as {true[first_right]}, " in texts(chapter)
    said = f"Test sample {first_wrong + 1}, wrongly read as {answers[first_wrong]} in place of {true[first_wrong]}, "
    assert said in texts(chapter)
    maps = figures(chapter)[f"Where it looked on test sample {first_wrong + 1}"]
    captions = [a.text for a in maps.figure.layout.annotations]
    assert captions[:2] == [f"for {answers[first_wrong]}", f"for {true[first_wrong]}"]
    first, second, both = (np.asarray(trace.z) for trace in maps.figure.data)
    np.testing.assert_allclose(first - second, both, atol=1e-5)
    verdicts = ("Trustworthy here", "Half trustworthy", "Not more than chance", "Not to be trusted", "Cannot be tested")
    assert sum(texts(chapter).count(words) for words in verdicts) == 2


def test_outputs_are_what_the_layers_make(examined):
    chapter, network = examined
    module, samples = network.module(), load("digits-8x8", "test")
    glyph = (samples.images[:1, None].float() / 255 - 0.1307) / 0.3081
    with torch.inference_mode():
        made = torch.relu(torch.max_pool2d(module.conv1(glyph), 2))[0].numpy()
    (title,) = [t for t in figures(chapter) if t.startswith("After 5.")]
    shown = np.asarray(figures(chapter)[title].figure.data[0].z)
    np.testing.assert_allclose(np.sort(shown[np.isfinite(shown)]), np.sort(made.ravel()), atol=1e-5)


def test_rows_of_a_table_are_explained_by_their_features(keep):
    chapter = examination_chapter(keep("heart-11-10-1"))
    assert "A network for tables has no filters." in texts(chapter)
    assert "10 nodes of 11 features each" in texts(chapter)
    assert "Corrupted handwriting does not apply" in texts(chapter)
    bars = next(f for title, f in figures(chapter).items() if title.startswith("On test sample")).figure.data[0]
    row = load_row(chapter)
    assert {f"column {i} = {value:g}" for i, value in enumerate(row)} == set(bars.y)


def load_row(chapter: Chapter) -> list[float]:
    """The raw row of the sample that is explained first: scaled × 2 + 50."""
    number = int(re.search(r"Test sample (\d+),", texts(chapter))[1])
    rows = np.random.default_rng(0).normal(size=(40, 11)).astype(np.float32)
    return [round(float(value), 3) for value in rows[number - 1] * 2.0 + 50]


def test_where_all_answers_are_wrong_it_says_so(keep, monkeypatch):
    name = keep("report")
    whole = load("digits-8x8", "test")
    answers = open_network(name).logits(whole.images.numpy().astype(np.float32) / 255).argmax(1)
    wrong = torch.from_numpy(np.flatnonzero(answers != whole.labels.numpy()))
    monkeypatch.setattr(chapters, "held_out", lambda passport: whole.take(wrong))
    assert "None of the first 60 test samples gets a right answer." in texts(examination_chapter(name))


def test_data_that_are_gone_leave_the_filters(keep, monkeypatch):
    from core.errors import DataError

    def gone(passport):
        raise DataError("The folder is gone.")

    monkeypatch.setattr(chapters, "held_out", gone)
    monkeypatch.setattr(chapters, "standing_of", gone)
    chapter = examination_chapter(keep("report"))
    assert headings(chapter) == [HEADINGS[0], HEADINGS[-1]]
    assert "What it makes of samples cannot be shown: The folder is gone." in texts(chapter)


def test_robustness_is_what_was_measured_and_nothing_is_measured_here(keep, monkeypatch):
    name = keep("report")
    monkeypatch.setattr(league, "SAMPLES", 20)
    assert "It was not measured yet" in texts(examination_chapter(name))
    assert not league.league_dir().exists()
    standing = league.measure(open_network(name))
    chapter = examination_chapter(name)
    mean, low, high = standing.mean
    assert f"Over all kinds and strengths: {mean:.1%} (95 % interval {low:.1%} to {high:.1%})." in texts(chapter)
    assert "Measured on 20 test samples under 15 of 15 kinds." in texts(chapter)
    shown = np.asarray(figures(chapter)["Right under each corruption (%)"].figure.data[0].z)
    expected = [standing.right[kind].mean(1) * 100 for kind in standing.right if kind != league.CLEAN]
    np.testing.assert_allclose(shown, expected)


def test_the_network_is_left_as_it_was_and_the_whole_report_stays_small(keep):
    name = keep("report")
    before = open_network(name).weights_file.read_bytes()
    assert list(CHAPTERS) == ["training", "transfer", "experiment", "examination"]
    html = report_html(name)
    assert len(html) < 8_000_000
    assert b"<h2>Examination</h2>" in html
    assert open_network(name).weights_file.read_bytes() == before
