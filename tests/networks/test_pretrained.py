"""torchvision's networks: their names, what is changed in them, and weights from a server, from a file, at random."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
import torchvision.models
from safetensors.torch import load_file, save_file
from torch import fx, nn

from core.errors import NetworkError
from core.networks import fetch, pretrained
from core.networks.fetch import Fetch
from core.networks.pretrained import FIRST, PHOTO_NETWORKS, classifier_of, from_file, published, untrained

ONE_OF_EACH = (
    "resnet18", "resnet50", "squeezenet1_1", "mobilenet_v3_small", "densenet121", "efficientnet_b0",
    "efficientnet_v2_s", "convnext_tiny", "googlenet", "inception_v3", "mnasnet0_5", "regnet_x_400mf",
    "shufflenet_v2_x0_5", "swin_t",
)  # fmt: skip
OPTIONS = {"aux_logits": False, "transform_input": True, "init_weights": False}


def test_the_names_are_torchvisions():
    assert sorted(PHOTO_NETWORKS) == torchvision.models.list_models(module=torchvision.models)
    assert len(set(PHOTO_NETWORKS)) == len(PHOTO_NETWORKS)
    assert {"resnet18", "resnet152", "squeezenet1_1"} <= set(FIRST)


def test_every_published_file_has_its_hash_in_its_name_and_names_its_classes():
    for name in PHOTO_NETWORKS:
        for weights in published(name).values():
            assert fetch.HASH_IN_NAME.search(weights.url), weights.url
            assert len(weights.meta["categories"]) == 1000
    with pytest.raises(NetworkError, match="Unknown network for photos 'resnet17'"):
        published("resnet17")


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_networks_compute_as_torchvisions_and_write_over_nothing(name):
    ours = untrained(name)
    options = OPTIONS if name in ("googlenet", "inception_v3") else {}
    theirs = torchvision.models.get_model(name, weights=None, **options).eval()
    theirs.load_state_dict(ours.state_dict())  # strictly: no key has changed
    side = next(iter(published(name).values())).transforms().crop_size[0]
    inputs = torch.rand(1, 3, side, side)
    with torch.inference_mode():
        assert torch.equal(ours(inputs), theirs(inputs))
    assert not ours.training
    assert not [part for part in ours.modules() if getattr(part, "inplace", False)]
    graph = fx.Tracer().trace(ours)
    for node in graph.nodes:
        target = node.target if isinstance(node.target, str) else node.target.__name__
        assert node.op not in ("call_function", "call_method") or target not in ("iadd", "imul", "isub", "add_")
        assert not node.kwargs.get("inplace")
    activations = [node.target for node in graph.nodes if node.op == "call_module" and "relu" in str(node.target)]
    assert len(activations) == len(set(activations)), "an activation stands at two places"


def test_random_weights_are_the_same_each_time_and_leave_the_seed_alone():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first = untrained("squeezenet1_1")
    assert torch.equal(torch.rand(1), expected)
    second = untrained("squeezenet1_1")
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_the_memory_is_looked_at_first(monkeypatch):
    monkeypatch.setattr(pretrained.psutil, "virtual_memory", lambda: type("Memory", (), {"available": 100_000_000}))
    with pytest.raises(NetworkError, match=r"resnet152 needs about 0\.7 GB .* 0\.1 GB are free"):
        untrained("resnet152")


@pytest.fixture
def a_file(tmp_path: Path) -> Callable[..., Path]:
    """`a_file(drop="classifier", **changes)` → squeezenet1_1's random weights in a safetensors file."""

    def write(drop: str = "–", **changes: torch.Tensor) -> Path:
        state = {key: value for key, value in untrained("squeezenet1_1").state_dict().items() if drop not in key}
        save_file(state | {key.replace("__", "."): value for key, value in changes.items()}, tmp_path / "w.safetensors")
        return tmp_path / "w.safetensors"

    return write


def test_a_file_is_the_network_that_was_saved(a_file):
    module, classifies = from_file("squeezenet1_1", a_file())
    assert classifies
    inputs = torch.rand(1, 3, 224, 224)
    with torch.inference_mode():
        assert torch.equal(module(inputs), untrained("squeezenet1_1")(inputs))


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_all_floating_kinds_become_float32(a_file, kind):
    weight = untrained("squeezenet1_1").state_dict()["features.0.weight"]
    module, _ = from_file("squeezenet1_1", a_file(features__0__weight=weight.to(kind)))
    assert module.get_parameter("features.0.weight").dtype == torch.float32
    assert torch.equal(module.get_parameter("features.0.weight"), weight.to(kind).float())


def test_features_alone_give_feature_maps(a_file):
    module, classifies = from_file("squeezenet1_1", a_file(drop="classifier"))
    assert not classifies
    inputs = torch.rand(1, 3, 224, 224)
    with torch.inference_mode():
        assert torch.equal(module(inputs), untrained("squeezenet1_1").features(inputs))
    assert "features.0.weight" in module.state_dict()


def test_features_of_a_network_of_many_parts_are_what_the_classifier_gets(tmp_path):
    whole = untrained("resnet18")
    state = {k: v for k, v in whole.state_dict().items() if not k.startswith("fc.") and "num_batches" not in k}
    save_file(state, tmp_path / "features.safetensors")
    module, classifies = from_file("resnet18", tmp_path / "features.safetensors")
    caught: list[torch.Tensor] = []
    whole.fc.register_forward_pre_hook(lambda _, inputs: caught.append(inputs[0]))
    inputs = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        made = module(inputs)
        whole(inputs)
    assert not classifies
    assert made.shape == (1, 512)
    assert torch.equal(made, caught[0])


def test_a_file_of_bgr_gives_a_network_of_rgb(a_file):
    file = a_file()
    rgb, _ = from_file("squeezenet1_1", file)
    turned, _ = from_file("squeezenet1_1", file, order="BGR")
    inputs = torch.rand(1, 3, 224, 224)
    with torch.inference_mode():
        assert torch.allclose(turned(inputs), rgb(inputs.flip(1)), atol=1e-6)
    with pytest.raises(NetworkError, match="RGB or BGR, not 'GBR'"):
        from_file("squeezenet1_1", file, order="GBR")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"drop": "features.3.squeeze"}, r"2 missing: features\.3\.squeeze\.weight"),
        ({"features__99__weight": torch.zeros(1)}, r"1 unknown: features\.99\.weight"),
        ({"features__0__bias": torch.zeros(63)}, r"1 of another shape: features\.0\.bias \(63 in place of 64\)"),
        ({"drop": "classifier.1.bias"}, r"1 missing: classifier\.1\.bias"),
        ({"features__0__bias": torch.full((64,), torch.nan)}, r"features\.0\.bias holds numbers that are not finite"),
        (
            {"features__0__bias": torch.full((64,), 1e300, dtype=torch.float64)},
            r"features\.0\.bias holds numbers that are not",
        ),
        ({"features__0__bias": torch.zeros(64, dtype=torch.int64)}, r"numbers of the kind I64"),
    ],
)
def test_files_that_do_not_fit_say_why(a_file, changes, message):
    with pytest.raises(NetworkError, match=message):
        from_file("squeezenet1_1", a_file(**changes))


def test_another_networks_file_and_other_files_are_refused(a_file, tmp_path):
    with pytest.raises(NetworkError, match="not those of torchvision's resnet18"):
        from_file("resnet18", a_file())
    (tmp_path / "bad.safetensors").write_bytes(b"\x80\x04 no safetensors")
    with pytest.raises(NetworkError, match=r"bad\.safetensors is no safetensors file"):
        from_file("resnet18", tmp_path / "bad.safetensors")
    torch.save({}, tmp_path / "weights.pth")
    for wrong in ("weights.pth", "none.safetensors"):
        with pytest.raises(NetworkError, match=r"ending \.safetensors"):
            from_file("resnet18", tmp_path / wrong)


@pytest.mark.parametrize("name", ["resnet18", "alexnet", "mobilenet_v3_small", "densenet121", "swin_t"])
def test_the_classifier_is_found(name):
    assert classifier_of(untrained(name)) in ("fc", "classifier", "head", "heads")


# -- torchvision's own weights, from a server -------------------------------------------------------------------------


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder, and the address where it is served."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

    folder = tmp_path / "served"
    folder.mkdir()
    running = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{running.server_address[1]}"
    running.shutdown()
    running.server_close()


@pytest.fixture
def publish(server, monkeypatch) -> Callable[..., tuple[nn.Module, Path]]:
    """`publish(name, rename=…)` → a network with other weights, and its file as torchvision would publish it."""
    folder, address = server

    def put(name: str, rename: Callable[[str], str] = str) -> tuple[nn.Module, Path]:
        torch.manual_seed(11)
        module = pretrained._build(name, next(iter(published(name).values())), initialise=True)
        file = folder / "new.pth"
        state = module.state_dict()
        for key in list(state):
            state[rename(key)] = state.pop(key)
        torch.save(state, file)  # with the versions of its layers, as torchvision's own files have them
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        file = file.rename(folder / f"{name}-{digest[:8]}.pth")
        weights = next(iter(published(name).values()))
        monkeypatch.setattr(weights.value, "url", f"{address}/{file.name}")
        return module, file

    return put


def fetched(name: str) -> Fetch:
    fetching = Fetch(next(iter(published(name).values()))).start()
    fetching.join()
    return fetching


def test_fetched_weights_are_checked_converted_and_used(publish):
    module, file = publish("squeezenet1_1")
    weights = next(iter(published("squeezenet1_1").values()))
    with pytest.raises(NetworkError, match="fetch them first"):
        pretrained.pretrained(weights)
    done = fetched("squeezenet1_1")
    assert done.error is None
    assert done.done_bytes == done.total_bytes == file.stat().st_size
    assert [f.name for f in pretrained.pretrained_dir().iterdir()] == [f"{file.stem}.safetensors"]
    kept = load_file(pretrained.fetched_file(weights))
    assert all(torch.equal(value, kept[key]) for key, value in module.state_dict().items())
    inputs = torch.rand(1, 3, 224, 224)
    with torch.inference_mode():
        assert torch.equal(pretrained.pretrained(weights)(inputs), module(inputs))
    pretrained.fetched_file(weights).write_bytes(b"damaged")
    with pytest.raises(NetworkError, match=r"Delete .*squeezenet1_1-.*\.safetensors to fetch it anew"):
        pretrained.pretrained(weights)


def test_old_names_of_dense_layers_are_understood(publish):
    import re

    module, _ = publish("densenet121", lambda key: re.sub(r"(denselayer\d+\.(?:norm|relu|conv))([12])", r"\1.\2", key))
    assert fetched("densenet121").error is None
    kept = load_file(pretrained.fetched_file(next(iter(published("densenet121").values()))))
    assert all(torch.equal(value, kept[key]) for key, value in module.state_dict().items())


def test_versions_of_layers_are_kept(publish):
    """MNASNet's layers refuse weights that do not say their version, which safetensors cannot hold."""
    module, _ = publish("mnasnet0_5")
    assert fetched("mnasnet0_5").error is None
    loaded = pretrained.pretrained(next(iter(published("mnasnet0_5").values()))).state_dict()
    assert all(torch.equal(value, loaded[key]) for key, value in module.state_dict().items())


def test_a_changed_download_is_refused(publish):
    _, file = publish("squeezenet1_1")
    file.write_bytes(file.read_bytes()[:-1])
    error = fetched("squeezenet1_1").error
    assert error
    assert "should begin with" in str(error)
    assert not list(pretrained.pretrained_dir().iterdir())


def test_without_a_connection_the_message_says_what_to_do(publish):
    _, file = publish("squeezenet1_1")
    file.unlink()
    error = fetched("squeezenet1_1").error
    assert error
    assert "5 MB were expected from http://127.0.0.1" in str(error)
    assert "local safetensors file" in str(error)
    assert not list(pretrained.pretrained_dir().iterdir())


def test_a_file_put_there_by_hand_is_taken(publish):
    module, file = publish("squeezenet1_1")
    pretrained.pretrained_dir().mkdir(parents=True)
    file.rename(pretrained.pretrained_dir() / file.name)
    assert fetched("squeezenet1_1").error is None
    weights = next(iter(published("squeezenet1_1").values()))
    assert torch.equal(pretrained.pretrained(weights).features[0].weight, module.features[0].weight)


def test_a_stopped_download_leaves_nothing(publish, monkeypatch):
    publish("squeezenet1_1")
    monkeypatch.setattr(fetch, "CHUNK", 1)
    fetching = Fetch(next(iter(published("squeezenet1_1").values())))
    fetching.stop()
    fetching.start()
    fetching.join()
    assert fetching.error is None
    assert not list(pretrained.pretrained_dir().iterdir())


def test_a_download_is_stopped_on_its_way(publish, monkeypatch):
    publish("squeezenet1_1")
    monkeypatch.setattr(fetch, "CHUNK", 1)  # a byte at a time, so that it would take long
    fetching = Fetch(next(iter(published("squeezenet1_1").values()))).start()
    while fetching.done_bytes < 100:
        assert fetching.is_running
    fetching.stop()
    fetching.join()
    assert 100 <= fetching.done_bytes < fetching.total_bytes
    assert fetching.error is None
    assert not list(pretrained.pretrained_dir().iterdir())


def test_a_folder_that_cannot_be_made_is_named(publish, inkling_home):
    publish("squeezenet1_1")
    (inkling_home / "pretrained").write_text("a file in its place")
    error = fetched("squeezenet1_1").error
    assert error
    assert "cannot be written to" in str(error)


def test_published_weights_of_another_network_are_refused():
    weights = next(iter(published("resnet18").values()))
    with pytest.raises(NetworkError, match="do not fit its network"):
        pretrained.load_published(weights, untrained("squeezenet1_1").state_dict())
