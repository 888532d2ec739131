"""Embedding Explorer's distances, neighbours, chosen samples and files, as they run in the app."""

import numpy as np
import pytest
import torch

from core.data import load
from core.embedding import task
from core.embedding.corrections import Correction, glyph_id, list_corrections
from core.embedding.files import embeddings_csv, read_table, space_of
from core.embedding.space import embed_samples
from core.errors import DataError
from core.inspection.subject import open_subject
from core.networks import open_network
from core.transfer.glyphs import png_of
from core.transfer.letters_set import Letter, LettersSet
from core.transfer.letters_store import open_letters, save_letters
from pages.components.embedding.distances import numbers_in
from pages.components.embedding.scene import CHOSEN, SECTION, SHOWN
from pages.components.keys import NETWORK_PICKER

PAGE = "pages/embedding_explorer.py"
SETS, COUNT = "embedding_sets", "embedding_count"


@pytest.fixture
def open_section(open_app):
    """`open_section("Distances")` → that section with 200 digits of 8×8 as `report` sees them."""

    def open_(section, **state):
        task._tasks.clear()  # they are the server's, and each test is a server of its own
        app = open_app()
        for key, value in ({SETS: ["data:digits-8x8:test"], COUNT: 200, SECTION: section} | state).items():
            app.session_state[key] = value
        app.selectbox(key=NETWORK_PICKER).select("report").run()
        app.switch_page(PAGE).run()
        assert not app.exception, app.exception[0].stack_trace
        assert not app.error, app.error[0].value
        return app

    return open_


def texts(app):
    return " ".join(element.value for kind in (app.markdown, app.caption, app.info) for element in kind)


def test_distances_of_the_most_central_and_of_typed_numbers(open_section):
    app = open_section("Distances")
    table = app.dataframe[0].value
    assert len(table) == 200
    to = [column for column in table.columns if column.startswith("to ")]
    assert len(to) == 10
    assert (table[to].to_numpy() == 0).sum() == 10  # each chosen sample to itself
    assert "Overlap: " in texts(app)
    app.segmented_control(key="distances_way").select("numbers").run()
    app.text_input(key="distances_numbers").set_value("3, 5-6").run()
    assert not app.exception
    assert sum(column.startswith("to ") for column in app.dataframe[0].value.columns) == 3
    app.text_input(key="distances_numbers").set_value("999").run()
    assert "run from 1 to 200" in app.error[0].value


def test_numbers_are_read_as_people_type_them():
    assert numbers_in("3, 1;5-7  2", 9).tolist() == [0, 1, 2, 4, 5, 6]
    for text in ("", "1.5", "0", "7-5", "a", "10"):
        with pytest.raises(DataError, match="no number of a sample|There is no sample"):
            numbers_in(text, 9)


def test_neighbours_answer_and_are_measured(open_section):
    app = open_section("Neighbours")
    app.slider(key="neighbours_k").set_value(3).run()
    app.number_input(key="neighbours_number").set_value(7).run()
    assert not app.exception
    assert "Its 3 nearest neighbours" in texts(app)
    for _ in range(20):
        if "Best: k = " in texts(app):
            break
        for one in list(task._tasks.values()):
            one.join(10)
        app.run()
    assert "Best: k = " in texts(app)
    assert "leaving one out" in texts(app)


def test_chosen_samples_are_relabelled_taught_again_and_undone(open_section):
    app = open_section("Chosen", chosen_filter="class")
    app.selectbox(key="chosen_class").select("3").run()
    app.checkbox[0].check().run()
    assert "The ticked: 1 sample" in texts(app)
    app.selectbox(key="chosen_label").select("8").run()
    app.button(key="chosen_relabel").click().run()
    assert not app.exception
    (correction,) = list_corrections()
    assert (correction.dataset, correction.was, correction.now) == ("digits-8x8", "3", "8")
    assert "1 correction" in texts(app)
    (start,) = [button for button in app.button if button.label == "Teach again and compare"]
    start.click().run()
    for one in list(task._tasks.values()):
        one.join(60)
        assert one.state == "finished", one.problem
    app.run()
    assert "None of your corrections concerns the **training part**" in texts(app)
    app.button(key="chosen_undo").click().run()
    assert list_corrections() == ()
    assert "What the corrections change" not in [one.value for one in app.subheader]


def test_what_was_chosen_on_the_map_goes_to_a_letters_set(open_section):
    save_letters(LettersSet("my digits", (Letter("a", png_of(np.full((28, 28), 9, np.uint8)), "test"),)))
    app = open_section("Map").run()  # AppTest hands the kept choice of network over one run late
    app.session_state[CHOSEN] = (app.session_state[SHOWN][0], [4, 9])  # as the lasso does
    app.segmented_control(key=SECTION).select("Chosen").run()
    app.segmented_control(key="chosen_filter").select("map").run()
    assert "All listed: 2 samples" in texts(app)
    app.selectbox(key="chosen_set").select("my digits").run()
    app.button(key="chosen_send").click().run()
    assert not app.exception
    samples = load("digits-8x8", "test")
    drawn = torch.randperm(len(samples), generator=torch.Generator().manual_seed(0))[:200].sort().values
    expected = [samples.classes[samples.labels[drawn[i]]] for i in (4, 9)]
    assert [letter.label for letter in open_letters("my digits").letters] == ["a", *expected]


def test_a_table_of_others_becomes_the_space(open_section):
    samples = load("digits-8x8", "test").take(torch.arange(30))
    own = embed_samples(open_subject(open_network("report")), None, [samples])
    imported = space_of(read_table(embeddings_csv(own, "report", "dense"), "mine.csv"), "mine.csv")
    np.testing.assert_allclose(imported.embeddings, own.embeddings, rtol=1e-4, atol=1e-5)
    state = {"embedding_imported": ("mine.csv", imported), SETS: ["imported"]}
    app = open_section("Files", **state)
    assert "30 samples, 50 numbers each, from mine.csv" in texts(app)
    for section in ("Distances", "Neighbours", "Chosen"):
        app.segmented_control(key=SECTION).select(section).run()
        assert not app.exception, (section, app.exception[0].stack_trace)
        assert not app.error, (section, app.error[0].value)


def test_a_damaged_list_of_corrections_is_a_sentence_on_the_page(open_app, inkling_home):
    (inkling_home / "corrections.json").write_text("[")
    app = open_app()
    app.session_state[SETS], app.session_state[COUNT] = ["data:digits-8x8:test"], 200
    app.switch_page(PAGE).run()
    assert not app.exception
    assert "no list of corrections" in app.error[0].value


def test_removed_samples_take_no_part(open_section):
    samples = load("digits-8x8", "test")
    from core.embedding.corrections import correct

    correct([Correction("digits-8x8", glyph_id(image), "?", None) for image in samples.images.numpy()])
    app = open_section("Distances")
    assert "at least two samples" in texts(app)
