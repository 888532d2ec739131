import json

import pytest
import torch

from core.data import load
from core.errors import DataError, ExperimentError
from core.experiments import data_cache
from core.experiments.data_cache import DataMissing, folder, samples_of, sha256_of


@pytest.fixture(autouse=True)
def nothing_remembered():
    data_cache._opened.cache_clear()


def test_a_copy_is_the_data_set_itself_mapped_into_memory():
    whole = load("digits-8x8", "train")
    sha256 = sha256_of("digits-8x8")
    assert sha256 == whole.sha256
    found = samples_of("digits-8x8", sha256)
    assert torch.equal(found.inputs, whole.inputs)
    assert torch.equal(found.labels, whole.labels)
    assert (found.name, found.part, found.classes, found.columns) == ("digits-8x8", "train", whole.classes, ())
    assert found.sha256 == sha256
    with open("/proc/self/maps") as maps:
        assert f"{sha256}.safetensors" in maps.read()


def test_a_set_that_has_not_changed_is_not_read_again(monkeypatch):
    first = sha256_of("digits-8x8")
    monkeypatch.setattr(data_cache, "_load", _must_not_be_asked)
    assert sha256_of("digits-8x8") == first
    (folder() / "names.json").write_text("{ no JSON")
    with pytest.raises(AssertionError, match="was read"):
        sha256_of("digits-8x8")


def _must_not_be_asked(dataset):
    raise AssertionError(f"{dataset} was read")


def test_a_file_that_has_changed_is_read_again(tmp_path):
    table = tmp_path / "h.csv"
    header = (
        "Age,Sex,ChestPainType,RestingBP,Cholesterol,FastingBS,RestingECG,MaxHR,ExerciseAngina,Oldpeak,ST_Slope,"
        "HeartDisease"
    )
    rows = [
        f"{30 + n},{'MF'[n % 2]},ATA,{120 + n},{200 + n},0,Normal,{150 - n},N,0.{n % 9},Up,{n % 2}" for n in range(40)
    ]
    table.write_text("\n".join([header, *rows]))
    before = sha256_of(f"heart:{table}")
    table.write_text("\n".join([header, *rows[:-1]]))
    after = sha256_of(f"heart:{table}")
    assert before != after
    found = samples_of(f"heart:{table}", after)
    whole = load(f"heart:{table}", "train")
    assert torch.equal(found.inputs, whole.inputs)
    assert (found.columns, found.preparation) == (whole.columns, json.loads(json.dumps(whole.preparation)))


def test_a_machine_without_the_data_says_which_command_fills_its_cache(monkeypatch):
    def missing(dataset):
        raise DataError("no such folder")

    monkeypatch.setattr(data_cache, "_load", missing)
    with pytest.raises(
        DataMissing, match="lacks the data set 'mnist' .no such folder.*experiment STUDY --fill"
    ) as told:
        samples_of("mnist", "0" * 64)
    assert told.value.again  # the next start tries it anew


def test_another_set_of_the_same_name_is_refused():
    with pytest.raises(DataMissing, match="'digits-8x8' on .* is another one than the study was begun with"):
        samples_of("digits-8x8", "0" * 64)


def test_a_damaged_copy_is_named():
    sha256 = sha256_of("digits-8x8")
    (folder() / f"{sha256}.safetensors").write_bytes(b"half a file")
    with pytest.raises(ExperimentError, match="safetensors is damaged .*; delete it, and it is made anew"):
        samples_of("digits-8x8", sha256)


def test_a_folder_that_cannot_be_made_is_named(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("INKLING_HOME", str(tmp_path / "file"))
    with pytest.raises(ExperimentError, match="cannot be written to .Not a directory.; set INKLING_HOME"):
        sha256_of("digits-8x8")
