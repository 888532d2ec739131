"""`export`: a file that another program opens, a JSON line that tells it how."""

import json
import zipfile

import numpy as np
import onnxruntime

from core.cli import main
from core.data.strokes import draw_glyphs


def test_export_writes_an_onnx_file_that_reads(capfd, tmp_path):
    file = tmp_path / "report.onnx"
    assert main(["export", "report", "--to", str(file), "--json"]) == 0
    said = capfd.readouterr()
    assert said.err == ""
    (line,) = said.out.splitlines()
    assert json.loads(line) == {
        "file": str(file),
        "input": {"name": "glyphs", "shape": ["n", 1, 28, 28], "type": "float32"},
        "output": {"name": "logits", "shape": ["n", 10], "type": "float32"},
        "classes": list("0123456789"),
    }
    glyphs = draw_glyphs(list("0123456789"), seed=1)[:, None].astype(np.float32) / 255
    (logits,) = onnxruntime.InferenceSession(str(file)).run(None, {"glyphs": glyphs})
    assert logits.argmax(axis=1).tolist() == list(range(10))


def test_export_says_what_it_checked(capsys, tmp_path):
    assert main(["export", "report", "--to", str(tmp_path / "report.onnx")]) == 0
    shown = capsys.readouterr()
    assert "report.onnx: glyphs ['n', 1, 28, 28] → 10 classes" in shown.out
    assert "checked in ONNX Runtime: its answers differ" in shown.out
    assert shown.err == ""


def test_export_writes_a_zip(capsys, tmp_path):
    assert main(["export", "report", "--to", str(tmp_path / "report.ZIP"), "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record.keys() == {"file", "input", "output", "classes"}
    assert zipfile.ZipFile(record["file"]).namelist() == ["weights.safetensors", "passport.json"]


def test_export_says_what_is_wrong_in_one_line(capsys, tmp_path):
    (tmp_path / "folder.onnx").mkdir()
    for name, to, sentence in (
        ("nobody", "out.onnx", "There is no trained network 'nobody'; there are: digits, greek, report."),
        ("report", "none/out.onnx", "none does not exist; make it first"),
        ("report", "folder.onnx", "folder.onnx is a folder or device"),
        ("report", "out.pt", "out.pt says no format; end its name in .onnx or .zip."),
        ("report", "", "says no format"),
    ):
        assert main(["export", name, "--to", str(tmp_path / to), "--json"]) == 2
        shown = capsys.readouterr()
        assert shown.out == ""
        (line,) = shown.err.splitlines()
        assert line.startswith("error: ")
        assert sentence in line
    assert [f.name for f in tmp_path.iterdir()] == ["folder.onnx"]
