"""The command line as other programs use it: real processes, JSON Lines alone on standard output, one-line errors."""

import json
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image, ImageDraw

from core.cli import COMMANDS, main
from core.errors import DataError


@pytest.fixture
def one(tmp_path) -> Path:
    """A picture of a plain 1."""
    picture = Image.new("L", (200, 200), 255)
    ImageDraw.Draw(picture).line((100, 30, 100, 170), fill=0, width=14)
    picture.save(tmp_path / "one.png")
    return tmp_path / "one.png"


def records(standard_output: str) -> list[dict]:
    return [json.loads(line) for line in standard_output.splitlines()]


def error_lines(standard_error: str) -> list[str]:
    lines = standard_error.splitlines()
    assert all(line.startswith("error: ") for line in lines)
    return lines


def refused(capfd, *arguments: str) -> str:
    """The one line that a command without a result leaves on standard error; it runs here, which saves a process."""
    assert main([*arguments, "--json"]) == 2
    said = capfd.readouterr()
    assert said.out == ""
    (line,) = error_lines(said.err)
    return line


def test_networks_lists_what_ships(command_line):
    done = command_line("networks", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    listed = records(done.stdout)
    assert all(record.keys() == {"name", "classes", "parameters", "accuracy", "dataset"} for record in listed)
    assert [record["name"] for record in listed] == ["digits", "greek", "report"]
    assert listed[0]["classes"] == list("0123456789")


def test_networks_shows_the_others_when_one_is_damaged(command_line, inkling_home):
    (inkling_home / "networks" / "broken").mkdir(parents=True)
    (inkling_home / "networks" / "broken" / "passport.json").write_text("{")
    done = command_line("networks", "--json")
    assert [record["name"] for record in records(done.stdout)] == ["digits", "greek", "report"]
    assert done.returncode == 2
    (line,) = error_lines(done.stderr)
    assert "broken/passport.json is no valid passport" in line


def test_read_says_what_and_where(command_line, one):
    done = command_line("read", one, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    (record,) = records(done.stdout)
    assert record.keys() == {"image", "text", "symbols", "refused"}
    assert record["image"] == str(one)
    assert record["text"] == "1"
    (symbol,) = record["symbols"]
    assert symbol.keys() == {"label", "confidence", "box"}
    assert symbol["label"] == "1"
    assert 0.5 < symbol["confidence"] <= 1
    np.testing.assert_allclose(symbol["box"], [93, 30, 14, 140], atol=6)
    assert record["refused"] == []


def test_boxes_are_in_the_files_pixels_where_a_large_jpeg_is_reduced(command_line, one, tmp_path):
    Image.open(one).resize((6000, 6000)).save(tmp_path / "large.jpg")
    (record,) = records(command_line("read", tmp_path / "large.jpg", "--json").stdout)
    np.testing.assert_allclose(record["symbols"][0]["box"], np.array([93, 30, 14, 140]) * 30, atol=180)


def test_blank_paper_has_no_symbols(command_line, tmp_path):
    Image.new("RGB", (1, 1), "white").save(tmp_path / "pixel.png")
    done = command_line("read", tmp_path / "pixel.png", "--json")
    assert done.returncode == 0
    assert records(done.stdout) == [{"image": str(tmp_path / "pixel.png"), "text": "", "symbols": [], "refused": []}]
    assert "no symbols" in command_line("read", tmp_path / "pixel.png").stdout


def test_bad_pictures_cost_the_others_nothing(command_line, one, tmp_path):
    bad = {name: tmp_path / name for name in ("text.png", "empty.png", "cut.jpg", "zip.png", "pickle.png")}
    bad["text.png"].write_text("not an image")
    bad["empty.png"].touch()
    Image.effect_noise((400, 400), 60).save(bad["cut.jpg"])
    bad["cut.jpg"].write_bytes(bad["cut.jpg"].read_bytes()[:5000])
    with zipfile.ZipFile(bad["zip.png"], "w") as archive:
        archive.write(one)
    bad["pickle.png"].write_bytes(pickle.dumps([1]))
    bad |= {"missing.png": tmp_path / "missing.png", "folder": tmp_path}
    done = command_line("read", one, *bad.values(), one, "--json")
    assert [record["text"] for record in records(done.stdout)] == ["1", "1"]
    assert done.returncode == 2
    for line, path in zip(error_lines(done.stderr), bad.values(), strict=True):
        assert str(path) in line


def test_read_without_json_is_for_people(command_line, one):
    done = command_line("read", one)
    assert done.stdout.startswith(f"{one}: 1  (least sure: 1 at ")


@pytest.fixture
def clip(one, tmp_path) -> Path:
    """Twelve frames of the plain 1 before a camera that does not move."""
    pixels = np.asarray(Image.open(one).convert("RGB"))
    with av.open(str(tmp_path / "clip.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=30)
        stream.width, stream.height, stream.pix_fmt = 200, 200, "yuv420p"
        for _ in range(12):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return tmp_path / "clip.mp4"


def test_watch_says_one_line_a_frame(command_line, clip):
    done = command_line("watch", clip, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    frames = records(done.stdout)
    assert [frame["frame"] for frame in frames] == list(range(12))
    assert all(frame.keys() == {"frame", "time_s", "text", "symbols", "processing_ms"} for frame in frames)
    np.testing.assert_allclose([frame["time_s"] for frame in frames], np.arange(12) / 30, atol=0.01)
    assert frames[-1]["text"] == "1"
    (symbol,) = frames[-1]["symbols"]
    assert symbol.keys() == {"track", "label", "confidence", "box"}
    np.testing.assert_allclose(symbol["box"], [93, 30, 14, 140], atol=8)


def test_watch_without_json_tells_changes_only(command_line, clip):
    lines = command_line("watch", clip).stdout.splitlines()
    assert len(lines) <= 2
    assert lines[-1].endswith(" s  1")


def test_a_video_that_breaks_off_is_watched_up_to_there(command_line, clip):
    clip.write_bytes(clip.read_bytes()[:-3000])
    done = command_line("watch", clip, "--json")
    assert done.returncode == 2
    (line,) = error_lines(done.stderr)
    assert "clip.mp4" in line


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "required: COMMAND"),
        (["fly"], "invalid choice: 'fly'"),
        (["read"], "required: IMAGE"),
        (["read", "a.png", "--network", "nobody"], "no trained network 'nobody'; there are: digits, greek, report"),
        (["read", "a.png", "--network", "../digits"], r"There is no trained network '../digits'"),
        (["watch", "missing.mp4"], "missing.mp4"),
        (["train", "--dataset", "mnist"], "needs --dataset and --network"),
        (["train", "--dataset", "nothing", "--network", "report"], "Unknown data set 'nothing'; choose one of: mnist"),
        (["train", "--dataset", "digits-8x8", "--network", "huge"], "Unknown network architecture 'huge'"),
        (["train", "--dataset", "digits-8x8", "--network", "report", "--epochs", "0"], "epochs must be"),
        (["train", "--dataset", "digits-8x8", "--network", "report", "--epochs", "few"], "--epochs: invalid int value"),
        (["train", "--dataset", "digits-8x8", "--network", "report", "--name", "../x"], "'../x' is no name"),
        (["bench", "nothing"], "Unknown benchmark 'nothing'; choose from: "),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(arguments, sentence, capsys):
    try:
        code = main([*arguments, "--json"] if arguments else [])
    except SystemExit as end:
        code = end.code
    said = capsys.readouterr()
    assert code == 2
    assert said.out == ""
    (line,) = error_lines(said.err)
    assert sentence in line


def test_a_benchmark_without_its_data_costs_the_others_nothing(monkeypatch, capsys):
    def lacks():
        yield {"figure": 1, "unit": "ms"}
        raise DataError("MNIST is missing; set INKLING_DATA.")

    monkeypatch.setattr("core.bench.BENCHMARKS", {"first": f"{__name__}:lacks", "second": f"{__name__}:works"})
    monkeypatch.setattr(sys.modules[__name__], "lacks", lacks, raising=False)
    monkeypatch.setattr(sys.modules[__name__], "works", lambda: iter([{"figure": 2, "unit": "%"}]), raising=False)
    assert main(["bench", "--json"]) == 2
    said = capsys.readouterr()
    assert records(said.out) == [
        {"bench": "first", "figure": 1, "unit": "ms"},
        {"bench": "second", "figure": 2, "unit": "%"},
    ]
    assert error_lines(said.err) == ["error: MNIST is missing; set INKLING_DATA."]


def test_missing_data_is_one_line_and_exit_code_2(monkeypatch, capfd, tmp_path):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("INKLING_DATA", str(tmp_path / "file"))
    assert "set INKLING_DATA" in refused(capfd, "train", "--dataset", "mnist", "--network", "report")


def test_train_keeps_a_network_that_reads(command_line, one):
    done = command_line(
        "train",
        "--dataset",
        "digits-8x8",
        "--network",
        "report",
        "--epochs",
        "2",
        "--seed",
        "1",
        "--name",
        "mine",
        "--json",
    )
    assert (done.returncode, done.stderr) == (0, "")
    *epochs, last = records(done.stdout)
    keys = {"epoch", "examples", "train_loss", "train_accuracy", "test_loss", "test_accuracy", "seconds"}
    assert [epoch["epoch"] for epoch in epochs] == [1, 2]
    assert all(epoch.keys() == keys for epoch in epochs)
    assert last.keys() == {"name", "parameters", "test_accuracy", "seconds"}
    assert (last["name"], last["parameters"]) == ("mine", 21_840)
    listed = {record["name"]: record for record in records(command_line("networks", "--json").stdout)}
    assert listed["mine"]["accuracy"] == pytest.approx(last["test_accuracy"], abs=1e-4)
    assert listed["mine"]["dataset"] == "digits-8x8"
    assert command_line("read", one, "--network", "mine", "--json").returncode == 0


def asked_of_train(monkeypatch, *arguments: str) -> list:
    asked = []
    monkeypatch.setattr("core.training.execute.train", lambda *given: asked.append(given) or iter(()))
    assert main(["train", *arguments]) == 0
    return asked[0]


def test_the_default_name_never_replaces_a_network(monkeypatch, inkling_home):
    arguments = ("--dataset", "digits-8x8", "--network", "report")
    assert asked_of_train(monkeypatch, *arguments)[1] == "report-digits-8x8"
    (inkling_home / "networks" / "report-digits-8x8").mkdir(parents=True)
    assert asked_of_train(monkeypatch, *arguments)[1] == "report-digits-8x8-2"
    letters = ("--dataset", "folder:/my letters", "--network", "digits")
    assert asked_of_train(monkeypatch, *letters)[1] == "digits-my-letters"


def test_every_setting_and_dimension_can_be_given(monkeypatch):
    config, _ = asked_of_train(
        monkeypatch,
        *("--dataset mnist --network cnn --optimizer adam --lr 0.001 --schedule constant --momentum 0").split(),
        *("--conv-layers 3 --filters 8,16 --filter-size 5 --pool-place last --batch-norm --dense-nodes 64").split(),
    )
    assert (config.optimizer, config.learning_rate, config.schedule) == ("adam", 0.001, "constant")
    assert config.cnn.filters_by_layer == (8, 16, 16)
    assert (config.cnn.filter_size, config.cnn.pool_place, config.cnn.batch_norm) == (5, "last", True)


def test_a_training_goes_on_for_more_epochs(capfd):
    def said(*arguments: str) -> list[dict]:
        assert main(["train", *arguments, "--json"]) == 0
        return records(capfd.readouterr().out)

    plain = "--dataset digits-8x8 --network report --schedule constant --lr 0.02 --threads 1".split()
    said(*plain, "--epochs", "1", "--name", "short")
    resumed = said("--resume", "short", "--epochs", "1")
    whole = said(*plain, "--epochs", "2", "--name", "long")
    assert resumed[0].keys() == whole[1].keys()
    assert {k: v for k, v in resumed[0].items() if k != "seconds"} == {
        k: v for k, v in whole[1].items() if k != "seconds"
    }


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--network", "report"], "needs --dataset and --network"),
        (["--resume", "nothing"], "There is no training 'nothing'"),
        (["--dataset", "mnist", "--network", "cnn", "--filters", "8,many"], "--filters takes whole numbers"),
        (["--dataset", "mnist", "--network", "cnn", "--conv-layers", "8", "--pool-size", "4"], "conv 3"),
        (["--dataset", "mnist", "--network", "report", "--conv-layers", "3"], "Only the network 'cnn'"),
        (["--dataset", "mnist", "--network", "report", "--optimizer", "lbfgs"], "one of sgd, adam"),
        (["--dataset", "digits-8x8", "--network", "report", "--name", "digits"], "digits"),
    ],
)
def test_a_training_that_cannot_be_is_one_line(capfd, arguments, sentence):
    assert sentence in refused(capfd, "train", *arguments)


def test_a_training_that_diverges_is_one_line_with_its_step(capfd):
    wild = "--dataset digits-8x8 --network report --lr 1e6 --name wild".split()
    assert "diverged at step" in refused(capfd, "train", *wild)


def test_a_reader_that_leaves_early_is_no_error(one):
    done = subprocess.run(
        f"{sys.executable} -m core read {one} {one} {one} --json | head -n 0",
        shell=True,
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stderr == ""


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_every_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit, match="0"):
        main([command, "--help"] if command else ["--help"])
    assert "usage: python -m core" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("dataset", "short"),
    [("mnist", "mnist"), ("folder:/home/me/leaves/", "leaves"), ("heart:/home/me/my heart.csv", "my heart")],
)
def test_the_default_name_says_the_folders_own_name(dataset, short):
    from core.cli.train import _short

    assert _short(dataset) == short
