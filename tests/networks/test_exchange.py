"""Networks that leave answer elsewhere as they do here; what comes in is believed in nothing and kept whole or not."""

import hashlib
import io
import json
import stat
import time
import tracemalloc
import warnings
import zipfile
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.torch import load, save

from core.errors import NetworkError
from core.networks import exchange as exchange_module
from core.networks import (
    export_onnx_file,
    export_zip,
    export_zip_file,
    import_zip,
    open_network,
    rename_network,
    survey_networks,
)

GLYPHS = np.random.default_rng(0).random((4, 28, 28), np.float32)


def unzip(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zip_of(files: dict, compression: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


@pytest.fixture(scope="session")
def good_once(stored_once) -> dict[str, bytes]:
    """The files of a ZIP that can be imported."""
    files = {name: (stored_once / name).read_bytes() for name in ("weights.safetensors", "passport.json")}
    return files | {"history.json": b'{"epochs": []}'}


@pytest.fixture
def good(good_once) -> dict[str, bytes]:
    return dict(good_once)


def kept(home: Path) -> list[str]:
    """All files that an import has left."""
    return sorted(str(f.relative_to(home)) for f in home.rglob("*") if f.is_file())


def test_a_network_that_was_exported_comes_back_the_same(stored, inkling_home, monkeypatch, tmp_path):
    (stored / "history.json").write_text('{"epochs": [1, 2]}')
    (stored / "run.json").write_text("{}")
    content, here = export_zip("mine"), open_network("mine")
    assert list(unzip(content)) == ["weights.safetensors", "passport.json", "history.json"]
    monkeypatch.setenv("INKLING_HOME", str(tmp_path))  # another machine
    there = import_zip(content)
    assert there.name == "mine"
    assert kept(tmp_path) == [
        f"networks/mine/{name}" for name in ("history.json", "network.onnx", "passport.json", "weights.safetensors")
    ]
    assert there.read_weights() == here.read_weights()
    assert (there.folder / "history.json").read_bytes() == (stored / "history.json").read_bytes()
    same = {"runtime_sha256": None}
    assert there.passport.to_json() | same == here.passport.to_json() | same
    np.testing.assert_array_equal(open_network("mine").logits(GLYPHS), here.logits(GLYPHS))
    assert export_zip("mine") == content


@pytest.mark.usefixtures("table_network")
def test_a_tables_network_comes_back_too(monkeypatch, tmp_path):
    content = export_zip("rows")
    rows = np.random.default_rng(0).normal(size=(5, 11)).astype(np.float32)
    answers = open_network("rows").logits(rows)
    monkeypatch.setenv("INKLING_HOME", str(tmp_path))
    np.testing.assert_array_equal(import_zip(content).logits(rows), answers)


def test_the_same_network_is_the_same_zip(stored):
    first = export_zip("mine")
    for file in stored.iterdir():
        file.touch()
    time.sleep(2.1)  # a ZIP tells time in steps of two seconds
    assert export_zip("mine") == first
    rename_network("mine", "yours")
    renamed = unzip(export_zip("yours"))
    assert json.loads(renamed["passport.json"])["name"] == "yours"
    assert renamed["weights.safetensors"] == unzip(first)["weights.safetensors"]


def test_damaged_weights_are_not_given_away(stored):
    (stored / "weights.safetensors").write_bytes(b"other")
    with pytest.raises(NetworkError, match="is not the file its passport speaks of"):
        export_zip("mine")


@pytest.mark.usefixtures("stored")
def test_an_imported_network_finds_a_free_name(good):
    assert import_zip(zip_of(good)).name == "mine-2"
    assert import_zip(zip_of(good), "given").name == "given"
    assert open_network("mine-2").passport.name == "mine-2"
    with pytest.raises(NetworkError, match="There is a network 'given' already"):
        import_zip(zip_of(good), "given")
    with pytest.raises(NetworkError, match=r"'\.\./x' is no name"):
        import_zip(zip_of(good), "../x")
    assert survey_networks()[1] == []


def test_a_name_that_is_taken_while_the_import_works_is_not_written_over(good, inkling_home, monkeypatch):
    def taken_meanwhile(*arguments):
        (inkling_home / "networks" / "given").mkdir(parents=True)
        (inkling_home / "networks" / "given" / "run.json").write_text("{}")
        return b""

    monkeypatch.setattr("core.networks.runtime.export_onnx", taken_meanwhile)
    with pytest.raises(NetworkError, match="There is a network 'given' already"):
        import_zip(zip_of(good), "given")
    assert kept(inkling_home) == ["networks/given/run.json"]


def test_a_packed_zip_is_as_good(good):
    assert import_zip(zip_of(good, zipfile.ZIP_DEFLATED)).read_weights() == good["weights.safetensors"]


def with_passport(files: dict, **changes) -> dict:
    passport = json.loads(files["passport.json"]) | changes
    return files | {"passport.json": json.dumps(passport).encode()}


def with_weights(files: dict, weights: bytes) -> dict:
    """With a passport that lies for them."""
    return with_passport(files | {"weights.safetensors": weights}, weights_sha256=hashlib.sha256(weights).hexdigest())


def changed(files: dict, key: str, value) -> dict:
    return with_weights(files, save(load(files["weights.safetensors"]) | {key: value}))


def entry(name: str, mode: int = 0) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, mode << 16
    return info


def symlink(files: dict) -> bytes:
    link = {entry("history.json", stat.S_IFLNK | 0o777): b"/etc/passwd"}
    return zip_of({k: v for k, v in files.items() if k != "history.json"} | link)


def twice(files: dict) -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return zip_of(files | {entry("passport.json"): files["passport.json"]})


def encrypted(files: dict) -> bytes:
    """Marks every entry as encrypted, as `zip -e` does."""
    content = bytearray(zip_of(files))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = content.find(signature)
        while place >= 0:
            content[place + offset] |= 1
            place = content.find(signature, place + 4)
    return bytes(content)


def cnn_of_gigabytes(files: dict) -> dict:
    shape = {"conv_layers": 1, "filters": [512], "filter_size": 1, "pool_place": "none", "dense_nodes": 4096}
    return with_passport(files, spec={"architecture": "cnn", "classes": 10, "dropout": 0.5, "cnn": shape})


def without(files: dict, name: str) -> dict:
    return {key: value for key, value in files.items() if key != name}


HUGE_HEADER = (2**63 - 1).to_bytes(8, "little") + b"{}"
CLASSES = [f"class {i}" for i in range(100_000)]
HOSTILE = [
    pytest.param(lambda g: b"", "it is no ZIP, or a damaged one", id="empty"),
    pytest.param(lambda g: b"\x80\x04K\x01.", "it is no ZIP", id="a pickle"),
    pytest.param(lambda g: zip_of(g)[:5000], "it is no ZIP", id="truncated"),
    pytest.param(lambda g: zip_of(g)[:300] + b"?" + zip_of(g)[301:], "damaged one .*CRC", id="one byte other"),
    pytest.param(lambda g: zip_of({}), "passport.json is missing in it", id="no files"),
    pytest.param(lambda g: zip_of(without(g, "passport.json")), "passport.json is missing", id="no passport"),
    pytest.param(
        lambda g: zip_of(without(g, "weights.safetensors")), "weights.safetensors is missing", id="no weights"
    ),
    pytest.param(lambda g: zip_of(g | {"../evil": b""}), r"it holds '\.\./evil', but only", id="leads out"),
    pytest.param(lambda g: zip_of(g | {"/etc/cron.d/x": b""}), "it holds '/etc/cron.d/x'", id="absolute"),
    pytest.param(lambda g: zip_of({f"mine/{k}": v for k, v in g.items()}), "it holds 'mine/", id="in a folder"),
    pytest.param(lambda g: zip_of(g | {"network.onnx": b""}), "it holds 'network.onnx'", id="an ONNX file"),
    pytest.param(lambda g: zip_of(g | {"a.py": b""}), "it holds 'a.py'", id="a program"),
    pytest.param(symlink, "its history.json is a link", id="symlink"),
    pytest.param(twice, "it holds a file twice", id="twice"),
    pytest.param(encrypted, "is encrypted", id="encrypted"),
    pytest.param(lambda g: zip_of(g, zipfile.ZIP_LZMA), "packed in an unusual way", id="LZMA"),
    pytest.param(
        lambda g: zip_of({f"{i}": b"" for i in range(100_000)}), "it holds more than the files", id="100,000 files"
    ),
    pytest.param(
        lambda g: zip_of(g | {"passport.json": bytes(50_000_000)}, zipfile.ZIP_DEFLATED),
        "its passport.json is larger than 1 MB",
        id="bomb",
    ),
    pytest.param(lambda g: zip_of(g | {"passport.json": b"{"}), "its passport is not valid: it is not JSON", id="JSON"),
    pytest.param(lambda g: zip_of(g | {"passport.json": b"\xff\xfe"}), "its passport is not valid", id="not UTF-8"),
    pytest.param(lambda g: zip_of(g | {"passport.json": b"[" * 90_000}), "its passport is not valid", id="nested"),
    pytest.param(lambda g: zip_of(with_passport(g, name="../../x")), "its field 'name' should be", id="name"),
    pytest.param(lambda g: zip_of(with_passport(g, classes=CLASSES[:1000])), "1000 different classes", id="classes"),
    pytest.param(
        lambda g: zip_of(
            with_passport(g, classes=CLASSES, spec={"architecture": "report", "classes": 100_000, "dropout": 0})
        ),
        "(classes must be a whole number from 2 to 1000|larger than 1 MB)",
        id="100,000 classes",
    ),
    pytest.param(
        lambda g: zip_of(with_passport(g, classes=["x" * 99_999, *"123456789"])), "is no name for a class", id="long"
    ),
    pytest.param(
        lambda g: zip_of(with_passport(g, classes=["\ud800\n", *"123456789"])), "is no name for a class", id="surrogate"
    ),
    pytest.param(lambda g: zip_of(with_passport(g, temperature=0)), "temperature", id="temperature"),
    pytest.param(lambda g: zip_of(with_passport(g, code="import os")), "unknown fields: code", id="field"),
    pytest.param(
        lambda g: zip_of(with_passport(g, spec={"architecture": "os:system", "classes": 10})),
        "Unknown network architecture",
        id="architecture",
    ),
    pytest.param(
        lambda g: zip_of(g | {"weights.safetensors": save({"x": torch.zeros(1)})}),
        "not those that its passport speaks of",
        id="swapped weights",
    ),
    pytest.param(lambda g: zip_of(with_weights(g, b"")), "no safetensors file", id="empty weights"),
    pytest.param(lambda g: zip_of(with_weights(g, HUGE_HEADER)), "no safetensors file", id="header of 2⁶³ bytes"),
    pytest.param(lambda g: zip_of(with_weights(g, b"\x80\x04K\x01.")), "no safetensors file", id="pickled weights"),
    pytest.param(
        lambda g: zip_of(changed(g, "fc2.bias", torch.full((10,), torch.nan))), "numbers that are not finite", id="NaN"
    ),
    pytest.param(
        lambda g: zip_of(changed(g, "fc2.bias", torch.full((10,), torch.inf))), "that are not finite", id="infinite"
    ),
    pytest.param(
        lambda g: zip_of(changed(g, "fc2.bias", torch.zeros(3))), "not those of a 'report' network", id="shape"
    ),
    pytest.param(
        lambda g: zip_of(changed(g, "more", torch.zeros(3))), "not those of a 'report' network", id="more weights"
    ),
    pytest.param(
        lambda g: zip_of(changed(g, "fc2.bias", torch.zeros(10, dtype=torch.int8))),
        "not those of a 'report' network",
        id="type",
    ),
    pytest.param(lambda g: zip_of(cnn_of_gigabytes(g)), "20,000,000 is the most", id="network of gigabytes"),
    pytest.param(lambda g: zip_of(g | {"history.json": b"[]"}), "its history is damaged", id="history"),
    pytest.param(lambda g: zip_of(g | {"history.json": b"{" * 99_999}), "its history is damaged", id="nested history"),
]


@pytest.mark.parametrize(("make", "sentence"), HOSTILE)
def test_a_hostile_zip_is_refused_in_one_sentence_and_leaves_nothing(good, inkling_home, make, sentence):
    content = make(good)
    tracemalloc.start()
    try:
        with pytest.raises(NetworkError, match=sentence) as error:
            import_zip(content)
        assert tracemalloc.get_traced_memory()[1] < 30_000_000
    finally:
        tracemalloc.stop()
    text = str(error.value)
    assert text.startswith("This is no network that can be imported: ")
    assert text.endswith("; export it again where it comes from.")
    assert "\n" not in text
    assert len(text) < 400
    assert list(inkling_home.rglob("*")) == []


def test_a_zip_that_is_too_large_is_not_even_opened(monkeypatch, good):
    monkeypatch.setattr(exchange_module, "MAX_ZIP_BYTES", 50_000)
    with pytest.raises(NetworkError, match="it is larger than 0 MB"):
        import_zip(zip_of(good))


def test_a_full_disk_keeps_nothing_of_an_import(good, inkling_home, monkeypatch):
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(NetworkError, match="The disk is full"):
        import_zip(zip_of(good))
    assert list((inkling_home / "networks").iterdir()) == []


@pytest.mark.parametrize(("fixture", "name"), [("stored", "mine"), ("table_network", "rows")])
def test_an_onnx_file_answers_as_the_network_and_says_what_it_is(request, tmp_path, fixture, name):
    request.getfixturevalue(fixture)
    network = open_network(name)
    record = export_onnx_file(name, tmp_path / "out.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "out.onnx"), providers=["CPUExecutionProvider"])
    (asked,), (answer,) = session.get_inputs(), session.get_outputs()
    assert record["file"] == str(tmp_path / "out.onnx")
    assert (asked.name, asked.shape, asked.type) == (record["input"]["name"], record["input"]["shape"], "tensor(float)")
    assert (answer.name, answer.shape) == (record["output"]["name"], record["output"]["shape"])
    assert record["classes"] == list(network.passport.classes)
    assert json.loads(session.get_modelmeta().custom_metadata_map["classes"]) == record["classes"]
    assert 0 < record["largest_difference"] < 1e-4
    batch = np.random.default_rng(1).random((3, *asked.shape[1:]), np.float32)
    with torch.inference_mode():
        expected = network.module().logits(torch.from_numpy(batch)).numpy()
    np.testing.assert_allclose(session.run(None, {asked.name: batch})[0], expected, atol=1e-4)


def test_the_round_trip_takes_a_thousand_samples(stored, monkeypatch):
    from core.networks.runtime import export_onnx

    network = open_network("mine")
    asked = []
    module = network.module()
    own = module.logits
    monkeypatch.setattr(module, "logits", lambda batch: asked.append(len(batch)) or own(batch))
    model = export_onnx(network.module(), "0" * 64)
    assert exchange_module.largest_difference(module, model, network.passport) < 1e-4
    assert sum(asked) == 1000
    with torch.no_grad():
        module.fc2.bias[7] += 0.5
    assert exchange_module.largest_difference(module, model, network.passport) == pytest.approx(0.5, abs=1e-4)
    with torch.no_grad():
        module.fc2.bias[7] += torch.nan
    assert np.isnan(exchange_module.largest_difference(module, model, network.passport))


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize("difference", [2e-4, np.nan])
def test_what_answers_otherwise_is_not_written(tmp_path, monkeypatch, difference):
    monkeypatch.setattr(exchange_module, "largest_difference", lambda *_: difference)
    (tmp_path / "out.onnx").write_text("before")
    with pytest.raises(NetworkError, match=r"'mine' was not exported: as ONNX its answers differ .*1e-04|0.0001"):
        export_onnx_file("mine", tmp_path / "out.onnx")
    assert (tmp_path / "out.onnx").read_text() == "before"


@pytest.mark.usefixtures("stored")
def test_an_export_that_cannot_be_written_is_said_and_leaves_the_former_one(tmp_path, monkeypatch):
    with pytest.raises(NetworkError, match=r"The folder .*none does not exist; make it first"):
        export_zip_file("mine", tmp_path / "none" / "out.zip")
    with pytest.raises(NetworkError, match=r"is a folder or device; give the path of a file"):
        export_onnx_file("mine", tmp_path)
    (tmp_path / "out.zip").write_text("before")
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(NetworkError, match=r"out\.zip cannot be written \(No space left on device\)"):
        export_zip_file("mine", tmp_path / "out.zip")
    assert (tmp_path / "out.zip").read_text() == "before"
    assert [f.name for f in tmp_path.iterdir()] == ["out.zip"]
