"""Trained networks on disk: kept whole, found by name, and never trusted further than their passports reach."""

import errno
import hashlib
import io
import json
import os
import pickle
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from safetensors.torch import load_file, save

from core.errors import NetworkError
from core.networks import (
    NetworkSpec,
    check_savable,
    free_name,
    is_taken,
    list_networks,
    list_readers,
    open_network,
    save_network,
    survey_networks,
)
from core.networks import store as store_module
from core.networks.base import build
from core.networks.runtime import WEIGHTS_KEY
from core.networks.store import write_atomically

GLYPHS = np.random.default_rng(0).random((4, 28, 28), np.float32)


def restamp(folder: Path, key: str, file: str) -> None:
    """Has the passport speak of the file as it is now, as a careful forger would."""
    passport = json.loads((folder / "passport.json").read_text())
    passport[key] = hashlib.sha256((folder / file).read_bytes()).hexdigest()
    (folder / "passport.json").write_text(json.dumps(passport))


def eager_logits() -> np.ndarray:
    with torch.inference_mode():
        return open_network("mine").module().logits(torch.from_numpy(GLYPHS)[:, None]).numpy()


@pytest.mark.usefixtures("stored")
def test_the_runtime_answers_as_the_network_itself():
    np.testing.assert_allclose(open_network("mine").logits(GLYPHS), eager_logits(), atol=1e-5)


@pytest.mark.usefixtures("stored")
def test_the_runtime_answers_a_batch_as_its_glyphs_one_by_one():
    network = open_network("mine")
    one_by_one = np.concatenate([network.logits(GLYPHS[i : i + 1]) for i in range(len(GLYPHS))])
    np.testing.assert_allclose(network.logits(GLYPHS), one_by_one, atol=1e-5)


@pytest.mark.usefixtures("table_network")
def test_the_runtime_answers_the_rows_of_a_table():
    network = open_network("rows")
    rows = np.random.default_rng(0).normal(size=(5, 11)).astype(np.float32)
    with torch.inference_mode():
        expected = network.module().logits(torch.from_numpy(rows)).numpy()
    np.testing.assert_allclose(network.logits(rows), expected, atol=1e-5)


@pytest.mark.usefixtures("stored", "table_network")
def test_readers_are_the_networks_that_read_glyphs():
    everything, readers = ([p.name for p in listed] for listed in (list_networks(), list_readers()))
    assert "rows" in everything
    assert readers == [name for name in everything if name != "rows"]
    assert "mine" in readers


@pytest.mark.usefixtures("stored")
def test_each_module_is_a_copy_of_its_own():
    network = open_network("mine")
    first, second = network.module(), network.module()
    with torch.no_grad():
        first.fc2.bias += 1
    assert not first.training
    assert not torch.equal(first.fc2.bias, second.fc2.bias)


def delete(file: Path) -> None:
    file.unlink()


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:1000])


def exchange(file: Path) -> None:
    """Doubles the last bias but leaves the metadata: it still claims to come from these weights."""
    model = onnx.load(io.BytesIO(file.read_bytes()))
    bias = next(t for t in model.graph.initializer if list(t.dims) == [10])
    bias.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(bias) + 5, bias.name))
    file.write_bytes(model.SerializeToString())


def come_from_other_weights(file: Path) -> None:
    """As above, with the passport's blessing but another network's metadata."""
    exchange(file)
    model = onnx.load(io.BytesIO(file.read_bytes()))
    next(p for p in model.metadata_props if p.key == WEIGHTS_KEY).value = "0" * 64
    file.write_bytes(model.SerializeToString())
    restamp(file.parent, "runtime_sha256", file.name)


@pytest.mark.parametrize("spoil", [delete, truncate, exchange, come_from_other_weights])
def test_no_onnx_file_can_change_an_answer(stored, spoil):
    expected = eager_logits()
    spoil(stored / "network.onnx")
    np.testing.assert_allclose(open_network("mine").logits(GLYPHS), expected, atol=1e-5)


class Alarm:
    """Raises when somebody unpickles it."""

    def __reduce__(self):
        return (pytest.fail, ("a pickle was opened",))


def other_shapes(_: bytes) -> bytes:
    return save(build(NetworkSpec("report", classes=3)).state_dict())


def other_network(_: bytes) -> bytes:
    return save({k: v.contiguous() for k, v in build(NetworkSpec("digits")).state_dict().items()})


def not_finite(_: bytes) -> bytes:
    state = build(NetworkSpec("report")).state_dict()
    return save(state | {"fc2.bias": state["fc2.bias"] / 0})


FORGERIES = [
    pytest.param(lambda _: pickle.dumps(Alarm()), "does not hold the weights of a 'report' network", id="pickle"),
    pytest.param(lambda content: content[: len(content) // 2], "does not hold the weights", id="truncated"),
    pytest.param(lambda _: b"", "does not hold the weights", id="empty"),
    pytest.param(lambda _: b"\xff" * 64, "does not hold the weights", id="header of 2⁶⁴ bytes"),
    pytest.param(other_shapes, r"does not hold the weights .*size mismatch", id="other shapes"),
    pytest.param(other_network, r"does not hold the weights .*Missing key", id="another network's"),
    pytest.param(not_finite, "holds numbers that are not finite", id="not finite"),
]


@pytest.mark.parametrize(("forge", "sentence"), FORGERIES)
def test_exchanged_weights_are_noticed(stored, forge, sentence):
    """First as they are, which the hash tells; then with a passport that lies for them, which their content tells."""
    file = stored / "weights.safetensors"
    file.write_bytes(forge(file.read_bytes()))
    for ask in (lambda: open_network("mine").module(), lambda: open_network("mine").logits(GLYPHS)):
        with pytest.raises(NetworkError, match=r"is not the file its passport speaks of .*; restore both"):
            ask()
    restamp(stored, "weights_sha256", file.name)
    for ask in (lambda: open_network("mine").module(), lambda: open_network("mine").logits(GLYPHS)):
        with pytest.raises(NetworkError, match=rf"^{file} .*{sentence}") as error:
            ask()
        assert "\n" not in str(error.value)


def test_missing_weights_are_named(stored):
    (stored / "weights.safetensors").unlink()
    with pytest.raises(NetworkError, match=r"weights\.safetensors is missing .*train the network anew"):
        open_network("mine").logits(GLYPHS)


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize(
    "name", ["../mine", "mine/../mine", "/etc", "", ".", "..", "mine\0", "mine/", "m" * 65, "nobody"]
)
def test_a_name_leads_nowhere_but_into_the_store(name):
    with pytest.raises(NetworkError, match="There is no trained network .*; there are: .*mine"):
        open_network(name)


@pytest.mark.parametrize("name", ["../mine", "", "a b", ".hidden", "x" * 65, "a/b", 5])
def test_no_network_is_kept_under_a_name_that_is_none(name, passport_fields, tmp_path):
    with pytest.raises(NetworkError, match="field 'name' should be letters"):
        save_network(build(NetworkSpec("report")), passport_fields | {"name": name}, tmp_path)
    with pytest.raises(NetworkError, match="name.*; use letters"):
        check_savable(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_list_shows_the_others_and_says_which_are_damaged(stored):
    shutil.copytree(stored, stored.parent / "copied")  # its passport is still the other's
    (stored.parent / "empty").mkdir()
    (stored.parent / ".trash").mkdir()
    (stored.parent / "notes.txt").write_text("not a network")
    passports, errors = survey_networks()
    assert "mine" in [p.name for p in passports]
    assert [p.name for p in list_networks()] == [p.name for p in passports]
    assert len(errors) == 2
    assert "copied/passport.json is no valid passport" in str(errors[0])
    assert "empty/passport.json is missing" in str(errors[1])


def test_an_unfinished_run_is_no_network_and_no_error(inkling_home):
    run = inkling_home / "networks" / "going"
    run.mkdir(parents=True)
    (run / "run.json").write_text("{}")
    assert "going" not in [p.name for p in list_networks()]
    assert survey_networks()[1] == []
    with pytest.raises(NetworkError, match="The run 'going' has not kept a network yet: let it end, or continue it"):
        open_network("going")


def test_a_name_is_taken_by_whatever_is_called_so(stored):
    (stored.parent / "going").mkdir()
    for name in ("mine", "MINE", "going", "digits", "Report"):
        assert is_taken(name)
        with pytest.raises(NetworkError, match=f"a network '{name}' already; choose another .* '{name}-2'"):
            check_savable(name)
    assert not is_taken("min")
    check_savable("mine", own_run=True)


def test_a_name_is_taken_on_the_shelf_that_is_asked_for_only(stored_once, tmp_path):
    check_savable("digits", tmp_path)
    with pytest.raises(NetworkError, match="There is a network 'mine' already"):
        check_savable("mine", stored_once.parent)


@pytest.mark.parametrize(
    ("wish", "name"),
    [
        ("new", "new"),
        ("mine", "mine-2"),
        ("digits", "digits-2"),
        ("report mnist/5 épochs", "report-mnist-5-epochs"),
        ("../../etc/passwd", "etc-passwd"),
        ("αβγ", "network"),
        ("", "network"),
        ("x" * 100, "x" * 64),
    ],
)
@pytest.mark.usefixtures("stored")
def test_a_wish_becomes_a_free_name(wish, name):
    assert free_name(wish) == name
    check_savable(name)


def test_free_names_go_on_counting_and_stay_short_enough(inkling_home):
    for name in ("x" * 64, "x" * 62 + "-2", "x" * 62 + "-3"):
        (inkling_home / "networks" / name).mkdir(parents=True)
    assert free_name("x" * 64) == "x" * 62 + "-4"


def test_digits_comes_first(stored):
    for name in ("aaa", "digits"):
        folder = shutil.copytree(stored, stored.parent / name)
        passport = json.loads((folder / "passport.json").read_text())
        (folder / "passport.json").write_text(json.dumps(passport | {"name": name}))
    found = [p.name for p in list_networks()]
    assert found[:2] == ["digits", "aaa"]


def test_the_users_own_network_comes_before_a_shipped_one(stored, stored_once, monkeypatch, tmp_path):
    shutil.copytree(stored_once, tmp_path / "networks" / "mine")
    monkeypatch.setattr(store_module, "ASSETS", tmp_path)
    assert open_network("mine").folder == stored
    shutil.rmtree(stored)
    assert open_network("mine").folder == tmp_path / "networks" / "mine"


def test_no_home_is_no_error(monkeypatch, tmp_path):
    monkeypatch.setenv("INKLING_HOME", str(tmp_path / "none"))
    monkeypatch.setattr(store_module, "ASSETS", tmp_path)
    assert survey_networks() == ([], [])
    with pytest.raises(NetworkError, match="no trained network 'digits'; there are: none yet"):
        open_network("digits")


def test_a_home_that_cannot_be_written_is_said(passport_fields, monkeypatch, tmp_path):
    (tmp_path / "home").write_text("a file in the way")
    monkeypatch.setenv("INKLING_HOME", str(tmp_path / "home"))
    with pytest.raises(NetworkError, match=r"home/networks/mine cannot be written \(.*\); set INKLING_HOME"):
        save_network(build(NetworkSpec("report")), passport_fields)
    with pytest.raises(NetworkError, match=r"home/networks cannot be written \(.*\); set INKLING_HOME"):
        check_savable("mine")


def test_asking_whether_a_network_can_be_kept_leaves_nothing(inkling_home):
    check_savable("mine")
    assert survey_networks()[1] == []
    assert list((inkling_home / "networks").iterdir()) == []


def test_what_is_stored_is_what_was_given(stored):
    torch.manual_seed(3)
    given = build(NetworkSpec("report")).state_dict()
    kept = load_file(stored / "weights.safetensors")
    assert given.keys() == kept.keys()
    assert all(torch.equal(given[key], kept[key]) for key in given)


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    file = tmp_path / "passport.json"
    write_atomically(file, b"old")
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space left"):
        write_atomically(file, b"new")
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


class FullDisk:
    """From the `nth` flush to disk on, there is no room left."""

    def __init__(self, nth: int) -> None:
        self.left = nth

    def __call__(self, _: int) -> None:
        self.left -= 1
        if self.left <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_disk_that_fills_up_leaves_the_former_network_whole(stored, passport_fields, monkeypatch, nth):
    before = contents(stored.parent)
    monkeypatch.setattr("os.fsync", FullDisk(nth))
    with pytest.raises(
        NetworkError, match=r"^The disk is full: nothing was saved in .*mine, and what was there .*whole"
    ):
        save_network(build(NetworkSpec("report")), passport_fields)
    assert contents(stored.parent) == before
    assert list(stored.parent.iterdir()) == [stored]
    open_network("mine").module()


def test_a_disk_that_fills_up_leaves_no_half_network(inkling_home, passport_fields, monkeypatch):
    monkeypatch.setattr("os.fsync", FullDisk(3))
    with pytest.raises(NetworkError, match="The disk is full"):
        save_network(build(NetworkSpec("report")), passport_fields)
    assert list((inkling_home / "networks").iterdir()) == []


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A real file system of 450 kB."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=450k", "none", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("no file system can be mounted here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_in_earnest(small_disk, stored_once, passport_fields, monkeypatch):
    monkeypatch.setenv("INKLING_HOME", str(small_disk))
    folder = Path(shutil.copytree(stored_once, small_disk / "networks" / "mine"))
    (small_disk / "filler").write_bytes(bytes(200_000))
    before = contents(folder)
    with pytest.raises(NetworkError, match="The disk is full"):
        save_network(build(NetworkSpec("report")), passport_fields)
    assert contents(folder.parent) == {f"mine/{name}": content for name, content in before.items()}
    (small_disk / "filler").unlink()
    save_network(build(NetworkSpec("report")), passport_fields)
    assert contents(folder) != before
    open_network("mine").module()


def test_saving_anew_keeps_what_else_is_in_the_folder(stored, passport_fields):
    (stored / "run.json").write_text("{}")
    save_network(build(NetworkSpec("report")), passport_fields | {"seed": 77})
    assert (stored / "run.json").read_text() == "{}"
    assert open_network("mine").passport.seed == 77
    open_network("mine").module()
