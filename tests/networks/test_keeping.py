"""Rename, delete and undo: never while a run trains, never half done, never what ships."""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from core.errors import InklingError, NetworkError
from core.networks import (
    delete_network,
    list_deleted,
    list_networks,
    open_network,
    rename_network,
    survey_networks,
    undo_delete,
)

GLYPHS = np.random.default_rng(0).random((4, 28, 28), np.float32)


@pytest.fixture
def run(stored) -> Path:
    """The network `mine` as a run's."""
    (stored / "run.json").write_text(json.dumps({"name": "mine", "config": {"epochs": 3}}))
    return stored


def test_a_renamed_network_is_the_same_under_its_new_name(run):
    before, passport = open_network("mine").logits(GLYPHS), open_network("mine").passport
    rename_network("mine", "yours")
    np.testing.assert_array_equal(open_network("yours").logits(GLYPHS), before)
    assert open_network("yours").passport.to_json() == passport.to_json() | {"name": "yours"}
    record = json.loads((run.with_name("yours") / "run.json").read_text())
    assert record == {"name": "yours", "config": {"epochs": 3}}
    assert not run.exists()
    assert survey_networks()[1] == []
    names = {f.name for f in run.with_name("yours").iterdir()}
    assert names - {"run.lock"} == {"weights.safetensors", "network.onnx", "passport.json", "run.json"}


def test_capitals_may_be_changed(stored):
    rename_network("mine", "Mine")
    assert open_network("Mine").passport.name == "Mine"
    assert not stored.exists()


def test_an_unfinished_run_can_be_renamed_and_deleted(inkling_home):
    folder = inkling_home / "networks" / "going"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text('{"name": "going"}')
    rename_network("going", "gone")
    assert json.loads((folder.with_name("gone") / "run.json").read_text()) == {"name": "gone"}
    delete_network("gone")
    assert list(folder.parent.iterdir()) == []


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize(
    ("new", "sentence"),
    [
        ("digits", "There is a network 'digits' already; choose another name, such as 'digits-2'"),
        ("other", "There is a network 'other' already"),
        ("../out", r"'\.\./out' is no name for a network; use letters"),
        ("", "A network needs a name"),
        ("x" * 65, "is no name"),
    ],
)
def test_no_network_takes_anothers_name_or_none(stored, new, sentence):
    shutil.copytree(stored, stored.with_name("other"))
    with pytest.raises(NetworkError, match=sentence):
        rename_network("mine", new)
    assert open_network("mine").folder == stored
    assert sorted(f.name for f in stored.parent.iterdir()) == ["mine", "other"]


@pytest.mark.parametrize("file", ["passport.json", "run.json"])
@pytest.mark.parametrize("content", ["{", "[1]", "[" * 100_000])
def test_a_damaged_record_is_not_renamed(run, file, content):
    (run / file).write_text(content)
    with pytest.raises(NetworkError, match=rf"mine/{file} is damaged .*: the network cannot be renamed; delete it"):
        rename_network("mine", "yours")
    assert run.is_dir()
    assert not run.with_name("yours").exists()
    assert not [f for f in run.iterdir() if f.name.startswith(".")]
    delete_network("mine")


@pytest.mark.parametrize("call", ["os.fsync", "pathlib.Path.rename"])
def test_a_rename_that_fails_changes_nothing(run, monkeypatch, call):
    before = {f.name: f.read_bytes() for f in run.iterdir()}
    monkeypatch.setattr(call, lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(NetworkError, match=r"^The disk is full: nothing was saved in .*mine"):
        rename_network("mine", "yours")
    after = {f.name: f.read_bytes() for f in run.iterdir() if f.name != "run.lock"}
    assert after == before
    assert not run.with_name("yours").exists()


def test_deleted_and_put_back_it_is_as_it_was(run):
    before = {f.name: f.read_bytes() for f in run.iterdir()}
    token = delete_network("mine")
    assert "mine" not in [p.name for p in list_networks()]
    assert not run.exists()
    (deleted,) = list_deleted()
    assert (deleted.token, deleted.names) == (token, ("mine",))
    assert abs(deleted.deleted_s - time.time()) < 60
    assert undo_delete(token) == "mine"
    assert {f.name: f.read_bytes() for f in run.iterdir() if f.name != "run.lock"} == before
    assert list_deleted() == []
    with pytest.raises(InklingError, match="no longer in the trash"):
        undo_delete(token)


def test_two_deletions_of_one_name_are_put_back_one_by_one(stored, stored_once):
    first = delete_network("mine")
    shutil.copytree(stored_once, stored)
    second = delete_network("mine")
    assert {d.token for d in list_deleted()} == {first, second}
    undo_delete(second)
    with pytest.raises(InklingError, match="There is 'mine' again: rename or delete that first, then undo"):
        undo_delete(first)
    rename_network("mine", "later")
    undo_delete(first)
    assert {"mine", "later"} <= {p.name for p in list_networks()}


def test_a_damaged_network_can_be_deleted(stored):
    (stored / "passport.json").write_text("{")
    assert len(survey_networks()[1]) == 1
    delete_network("mine")
    assert survey_networks()[1] == []


@pytest.mark.parametrize("name", ["digits", "report"])
def test_what_ships_stays(name):
    with pytest.raises(NetworkError, match=f"'{name}' ships with Inkling and cannot be deleted"):
        delete_network(name)
    with pytest.raises(NetworkError, match=f"'{name}' ships with Inkling and cannot be renamed"):
        rename_network(name, "other")
    open_network(name)


@pytest.mark.parametrize("name", ["nobody", "../mine", "", "mine/../mine", "."])
def test_only_the_stores_own_folders_are_touched(stored, name):
    with pytest.raises(NetworkError, match=r"no trained network 'nobody'|is no name for a network|needs a name"):
        delete_network(name)
    with pytest.raises(NetworkError, match=r"no trained network 'nobody'|is no name for a network|needs a name"):
        rename_network(name, "other")
    assert stored.is_dir()


def test_what_is_being_trained_stays_until_it_is_done(run):
    with FileLock(run / "run.lock"):
        with pytest.raises(NetworkError, match="'mine' is being trained and cannot be deleted now: stop it, or wait"):
            delete_network("mine")
        with pytest.raises(NetworkError, match="'mine' is being trained and cannot be renamed now"):
            rename_network("mine", "yours")
        assert run.is_dir()
    rename_network("mine", "yours")
    delete_network("yours")


def test_the_lock_of_another_process_counts_and_its_death_frees_it(run):
    code = "import sys, filelock\nwith filelock.FileLock(sys.argv[1]):\n    print('held', flush=True)\n    input()"
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(run / "run.lock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(NetworkError, match="is being trained"):
            delete_network("mine")
    finally:
        holder.kill()
        holder.communicate()
    delete_network("mine")
    assert not run.exists()
