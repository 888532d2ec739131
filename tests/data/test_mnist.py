"""MNIST and its relatives: read as they are, fetched where they are missing, and one clear sentence otherwise."""

import gzip
import hashlib
import io
import struct
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision import datasets

from core.data import load
from core.errors import DataError

TEST_COUNTS = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]  # published with the data set


def idx(array: np.ndarray) -> bytes:
    """An array as LeCun's idx format has it."""
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


@pytest.fixture
def tiny_files() -> dict[str, bytes]:
    """An MNIST of seven training and three test digits, under the real files' names."""
    rng = np.random.default_rng(0)
    files = {}
    for prefix, count in (("train", 7), ("t10k", 3)):
        files[f"{prefix}-images-idx3-ubyte"] = idx(rng.integers(0, 256, (count, 28, 28)))
        files[f"{prefix}-labels-idx1-ubyte"] = idx(np.arange(count) % 10)
    return files


@pytest.fixture
def data_folder(tmp_path, monkeypatch) -> Path:
    """An empty `INKLING_DATA`, and no address that answers."""
    monkeypatch.setenv("INKLING_DATA", str(tmp_path))
    for family in (datasets.MNIST, datasets.FashionMNIST, datasets.KMNIST):
        monkeypatch.setattr(family, "mirrors", [f"http://127.0.0.1:9/{family.__name__}/"])  # 9: the discard port
    monkeypatch.setattr(datasets.EMNIST, "url", "http://127.0.0.1:9/EMNIST/gzip.zip")
    return tmp_path


@pytest.fixture
def mirror(tmp_path_factory) -> Iterator[tuple[Path, str]]:
    """A folder, and the address at which it is served."""
    folder = tmp_path_factory.mktemp("mirror")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture
def tiny_mnist(data_folder, tiny_files) -> Path:
    raw = data_folder / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name, content in tiny_files.items():
        (raw / name).write_bytes(content)
    return raw


def test_holds_the_whole_set_as_it_was_published(data_or_skip):
    data_or_skip("MNIST/raw/t10k-images-idx3-ubyte")
    samples = load("mnist", "test")
    assert samples.images.shape == (10_000, 28, 28)
    assert samples.images.dtype == torch.uint8
    assert samples.labels.dtype == torch.int64
    assert torch.bincount(samples.labels).tolist() == TEST_COUNTS
    assert samples.classes == tuple("0123456789")


def test_kmnist_needs_only_the_part_that_is_asked_for(data_or_skip):
    data_or_skip("KMNIST/raw/t10k-images-idx3-ubyte")
    samples = load("kmnist", "test")
    assert torch.bincount(samples.labels).tolist() == [1000] * 10


def test_fashion_mnist_names_its_clothes(data_or_skip):
    data_or_skip("FashionMNIST/raw/t10k-images-idx3-ubyte")
    samples = load("fashion-mnist", "test")
    assert torch.bincount(samples.labels).tolist() == [1000] * 10
    first = [samples.classes[label] for label in samples.labels[:6]]
    assert first == ["Ankle boot", "Pullover", "Trouser", "Trouser", "Shirt", "Trouser"]


def test_reads_the_idx_files(tiny_mnist, tiny_files):
    samples = load("mnist", "train")
    assert samples.images.numpy().tobytes() == tiny_files["train-images-idx3-ubyte"][16:]
    assert samples.labels.tolist() == list(range(7))


def test_another_data_folder_is_read_anew(tiny_mnist, tmp_path_factory, monkeypatch):
    assert len(load("mnist", "test")) == 3
    monkeypatch.setenv("INKLING_DATA", str(tmp_path_factory.mktemp("other")))
    with pytest.raises(DataError, match="MNIST is not complete in .*other"):
        load("mnist", "test")


def test_fetches_from_a_mirror_and_checks_the_checksums(data_folder, tiny_files, mirror, monkeypatch):
    served, address = mirror
    resources = []
    for name, content in tiny_files.items():
        packed = gzip.compress(content)
        (served / f"{name}.gz").write_bytes(packed)
        resources.append((f"{name}.gz", hashlib.md5(packed).hexdigest()))
    monkeypatch.setattr(datasets.MNIST, "mirrors", [address])
    monkeypatch.setattr(datasets.MNIST, "resources", resources)
    assert len(load("mnist", "test")) == 3
    (data_folder / "MNIST" / "raw" / "train-labels-idx1-ubyte").unlink()
    (data_folder / "MNIST" / "raw" / "train-labels-idx1-ubyte.gz").unlink()
    (served / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(b"another file"))
    with pytest.raises(DataError, match=r"downloading it from http://127\.0\.0\.1.* failed \(.*corrupted"):
        load("mnist", "train")


def test_emnist_is_fetched_as_one_archive_and_turned_upright(data_folder, tiny_files, mirror, monkeypatch):
    """Its files hold each image with rows and columns exchanged."""
    served, address = mirror
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in tiny_files.items():
            renamed = name.replace("t10k", "test")
            archive.writestr(f"gzip/emnist-balanced-{renamed}.gz", gzip.compress(content))
    (served / "gzip.zip").write_bytes(packed.getvalue())
    monkeypatch.setattr(datasets.EMNIST, "url", address + "gzip.zip")
    monkeypatch.setattr(datasets.EMNIST, "md5", hashlib.md5(packed.getvalue()).hexdigest())
    samples = load("emnist-balanced", "train")
    as_stored = np.frombuffer(tiny_files["train-images-idx3-ubyte"][16:], np.uint8).reshape(-1, 28, 28)
    np.testing.assert_array_equal(samples.images.numpy(), as_stored.transpose(0, 2, 1))
    assert len(load("emnist-balanced", "test")) == 3
    assert len(samples.classes) == 47
    assert "".join(samples.classes) == "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt"  # NIST's order of labels


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Tests' requests are nobody's news."""


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("mnist", "MNIST/"),
        ("fashion-mnist", "FashionMNIST/"),
        ("kmnist", "KMNIST/"),
        ("emnist-balanced", "EMNIST/gzip.zip"),
    ],
)
def test_no_network_is_one_sentence_with_the_address_and_the_remedy(data_folder, name, address):
    with pytest.raises(DataError, match=rf"127\.0\.0\.1:9/{address} failed \(.*\); set INKLING_DATA") as error:
        load(name, "train")
    assert str(data_folder) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_data_folder_that_cannot_be_made_is_said(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("INKLING_DATA", str(tmp_path / "file" / "data"))
    with pytest.raises(DataError, match=r"which cannot be made \(Not a directory\); set INKLING_DATA"):
        load("mnist", "test")


def test_a_read_only_data_folder_is_said(data_folder, monkeypatch):
    monkeypatch.setattr("os.access", lambda *_: False)  # root may write anywhere, so the answer is put in its mouth
    with pytest.raises(DataError, match=r"which cannot be written to; set INKLING_DATA"):
        load("mnist", "test")


@pytest.mark.parametrize("kept", [0, 3, 10, 1000])
def test_a_half_downloaded_file_is_named(tiny_mnist, tiny_files, kept):
    file = tiny_mnist / "t10k-images-idx3-ubyte"
    file.write_bytes(tiny_files[file.name][:kept])
    with pytest.raises(DataError, match=rf"{file.name} is damaged or half downloaded \({kept:,} bytes\); delete it"):
        load("mnist", "test")


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("t10k-labels-idx1-ubyte", np.arange(4)),
        ("t10k-labels-idx1-ubyte", np.array([1, 2, 77])),
        ("t10k-images-idx3-ubyte", np.zeros((3, 14, 14))),
    ],
)
def test_files_that_do_not_belong_together_are_named(tiny_mnist, name, array):
    (tiny_mnist / name).write_bytes(idx(array))
    with pytest.raises(DataError, match=r"t10k-images.* do not belong together .*delete both"):
        load("mnist", "test")
