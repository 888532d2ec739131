"""What a stored network was tested on: found by its passport, or a sentence that says why not."""

from dataclasses import replace

import pytest

from core.data import load
from core.errors import DataError
from core.networks import export_zip, import_zip, list_networks, open_network
from core.training import TrainingConfig, open_run
from core.training.execute import train
from core.training.tested import dataset_name, has_changed, held_out, history_of, recorded_test, run_of


@pytest.fixture
def trained(inkling_home):
    for _ in train(TrainingConfig(dataset="digits-8x8", epochs=1, threads=1), "mine"):
        pass
    return open_network("mine")


def test_a_run_knows_its_test_samples_and_its_history(trained):
    samples = held_out(trained.passport)
    assert samples.sha256 == load("digits-8x8", "test").sha256 == recorded_test(trained.passport)
    assert not has_changed(trained.passport, samples)
    assert has_changed(trained.passport, load("digits-8x8", "train"))
    assert run_of(trained) == open_run("mine")
    assert history_of(trained).epochs == open_run("mine").history.epochs
    assert len(history_of(trained).epochs) == 1


def test_a_damaged_history_is_none(trained):
    (trained.folder / "history.json").write_text("{")
    assert history_of(trained) is None
    assert run_of(trained) is not None


def test_a_network_that_was_imported_has_its_history_but_no_run(trained):
    content = export_zip("mine")
    imported = import_zip(content, "theirs")
    assert run_of(imported) is None
    assert history_of(imported) == open_run("mine").history


def test_a_network_that_ships_has_a_data_set_but_no_run():
    for passport in list_networks():
        assert dataset_name(passport) == ("greek24" if passport.name == "greek" else "mnist")
        assert run_of(open_network(passport.name)) is None
        assert history_of(open_network(passport.name)) is None


def test_a_run_of_a_network_in_another_place_is_not_its_own(trained, tmp_path):
    assert run_of(replace(trained, folder=tmp_path / "mine")) is None


def test_test_samples_that_cannot_be_had_are_told_in_a_sentence(trained, tmp_path):
    gone = replace(trained.passport, training={"dataset": f"folder:{tmp_path / 'gone'}"})
    with pytest.raises(DataError, match=r"^The test samples cannot be had now: .*gone"):
        held_out(gone)
    unknown = replace(trained.passport, training={}, data={})
    with pytest.raises(DataError, match="does not say which data set"):
        held_out(unknown)
