"""The chapter about letters that were taught: of an attempt, and of a network of the store as far as it is known."""

import re
from collections.abc import Iterator

import pytest

from core.networks import open_network
from core.report.chapters import CHAPTERS
from core.report.document import Chapter, Figure, Heading, Table, Text
from core.report.transfer_blocks import attempt_chapter, attempt_report
from core.report.transfer_chapter import transfer_chapter
from core.training.results import wilson
from core.transfer import job
from core.transfer.attempt import Attempt, attempt
from core.transfer.learning_curve import learning_curve
from core.transfer.letters import Letters
from core.transfer.letters_examples import written_letters
from core.transfer.letters_set import LettersSet
from core.transfer.letters_store import open_letters, save_letters
from core.transfer.methods import TransferConfig
from core.transfer.preparation import letters_of
from core.transfer.teach_job import Plan, TeachJob

LETTERS = LettersSet("mine", written_letters(["alpha", "beta"], 4, seed=1))
CONFIG = TransferConfig("head", epochs=2)


def tried(letters: Letters, config: TransferConfig = CONFIG, test: Letters | None = None) -> Attempt:
    *_, last = attempt(open_network("report"), letters, config, test)
    assert isinstance(last, Attempt)
    return last


@pytest.fixture(scope="module")
def head() -> Attempt:
    return tried(letters_of(LETTERS))


@pytest.fixture
def stored() -> Letters:
    """The set in the store, as it is read from there."""
    save_letters(LETTERS)
    return letters_of(open_letters("mine"))


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    yield
    job.forget("teach", "mine")


def texts(chapter: Chapter) -> str:
    return " ".join(block.text for block in chapter.blocks if isinstance(block, Text))


def headings(chapter: Chapter) -> list[str]:
    return [block.text for block in chapter.blocks if isinstance(block, Heading)]


def table(chapter: Chapter, column: str) -> list[list[str]]:
    found = next(block for block in chapter.blocks if isinstance(block, Table) and column in block.columns)
    return [[str(cell) for cell in row] for row in found.rows]


def test_an_attempt_is_told_whole_and_never_by_training_accuracy_alone(head):
    origins = {picture: f"sheet {i}" for i, picture in enumerate(head.letters.pictures)}
    curve = learning_curve(open_network("report").module(), head.letters.samples, TransferConfig("prototypes"))
    chapter = attempt_chapter(head, origins, curve)
    assert headings(chapter) == [
        "How well it reads them", "The network before and after", "The loss by epoch", "Letter by letter",
        "Picture by picture", "How many samples it takes",
    ]  # fmt: skip
    said = texts(chapter)
    assert "A copy of the network report was taught 2 letters (α, β) from 8 pictures of the set mine." in said
    assert "21,840 parameters before, 21,432 after; 102 of them learned, 21,330 stayed as they were." in said
    right = int(head.validation.right.sum())
    low, high = wilson(right, 8)
    measured = table(chapter, "measured")
    assert measured[0] == ["by 4-fold cross-validation", f"{right / 8:.1%}", f"{low:.1%} to {high:.1%}", "8"]
    assert measured[-1][0] == "on what taught it"
    assert [row[1] for row in table(chapter, "loss, learning")] == [f"{e.train_loss:.4f}" for e in head.epochs]
    pictures = table(chapter, "read as")
    assert {row[0] for row in pictures} == set(origins.values())
    assert sum(row[-1] == "yes" for row in pictures) == right
    assert all(block.about for block in chapter.blocks if isinstance(block, Figure))


def test_an_attempt_with_a_test_set_names_both_measures(head):
    test = letters_of(LettersSet("others", written_letters(["alpha", "beta"], 3, seed=9)))
    chapter = attempt_chapter(tried(letters_of(LETTERS), TransferConfig("prototypes"), test))
    assert [row[0] for row in table(chapter, "measured")] == [
        "on the test set", "by leave-one-out", "on what taught it",
    ]  # fmt: skip
    assert "Measured on pictures of a test set, which taught nothing." in texts(chapter)
    assert "The loss by epoch" not in headings(chapter), "prototypes have no epochs"


def test_an_attempt_is_a_file_of_its_own(head):
    content = attempt_report(head).decode()
    assert "<title>mine, taught to report</title>" in content
    assert not re.search(r"<(script|img|link)[^>]+(src|href)=.?https?:", content)


def test_a_network_that_was_not_taught_letters_has_no_such_chapter():
    assert "transfer" in CHAPTERS
    assert transfer_chapter("report") is None


def test_quick_teaching_is_repeated_where_it_gives_the_very_same_weights(stored):
    tried(stored).keep("taught")
    chapter = transfer_chapter("taught")
    assert "gave the very same weights" in texts(chapter)
    assert "Picture by picture" in headings(chapter)


def test_where_the_letters_changed_only_the_passport_is_told(stored):
    made = tried(stored)
    made.keep("taught")
    save_letters(LettersSet("mine", LETTERS.letters[:-1]))
    chapter = transfer_chapter("taught")
    assert "These are the figures that its passport keeps." in texts(chapter)
    low, high = wilson(int(made.validation.right.sum()), 8)
    rows = table(chapter, "measured")
    assert rows[0] == ["by cross-validation", f"{made.validation.accuracy:.1%}", f"{low:.1%} to {high:.1%}", "8"]
    assert [row[0] for row in rows] == ["by cross-validation", "on what taught it"]


def test_what_the_server_remembers_is_told_of_any_method(stored):
    work = job.start(TeachJob(Plan("report", open_letters("mine"), ("prototypes",))))
    work.join(60)
    work.keep(work.done[0], "taught")
    save_letters(LettersSet("mine", LETTERS.letters[:-1]))  # so that it cannot be repeated
    chapter = transfer_chapter("taught")
    assert "As it was measured when it was taught." in texts(chapter)
    assert chapter.title == "Teach letters"
