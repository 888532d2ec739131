"""The house holds: the core knows no user interface, imports point down, modules stay short, reading starts light."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
SOURCES = sorted([*PROJECT.glob("core/**/*.py"), *PROJECT.glob("pages/**/*.py"), PROJECT / "app.py"])
CORE = [file for file in SOURCES if file.is_relative_to(PROJECT / "core")]

# From the top down: a module imports from its own row and from those below it.
ROWS = (
    ("__main__",),
    ("cli",),
    ("bench",),
    ("report",),
    ("experiments",),
    ("transfer",),
    ("embedding",),
    ("inspection",),
    ("reading",),
    ("training",),
    ("networks",),
    ("data",),
    ("errors", "paths", "work"),
)
HEIGHT = {name: len(ROWS) - row for row, names in enumerate(ROWS) for name in names}
OTHERWISE_NAMED = {
    "cv2": "opencv-python-headless",
    "PIL": "pillow",
    "sklearn": "scikit-learn",
    "umap": "umap-learn",
}  # import → package
FOR_OTHERS = {"onnx", "onnxscript", "psycopg[binary]"}  # torch's exporter imports two, SQLAlchemy the third
LONGEST = 400  # lines: what a module about one thing needs at most


def named(file: Path) -> str:
    return str(file.relative_to(PROJECT))


def imports(file: Path) -> Iterator[str]:
    """Every module that a file imports, at its top or anywhere else."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{named(file)} imports relatively; the project's imports say where from"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def chapter(module: str) -> str | None:
    """`core.reading.live` → `reading`."""
    parts = module.split(".")
    return parts[1] if parts[0] == "core" and len(parts) > 1 else None


def in_fresh_python(code: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=PROJECT, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_core_imports_no_user_interface():
    loaded = in_fresh_python(
        "import importlib, pkgutil, sys, core\n"
        "for module in pkgutil.walk_packages(core.__path__, 'core.'):\n"
        "    importlib.import_module(module.name)\n"
        "print(*sys.modules)"
    ).split()
    assert {"core.reading.recognizer", "core.training.fit", "core.cli.read"} <= set(loaded)
    assert not [name for name in loaded if name.split(".")[0] in ("streamlit", "streamlit_webrtc", "pages")]


@pytest.mark.parametrize("file", CORE, ids=named)
def test_imports_point_down(file):
    own = file.relative_to(PROJECT / "core").with_suffix("").parts[0]
    if own == "__init__":
        own = "paths"  # the core's own __init__ is for everybody, so it imports from nobody
    assert own in HEIGHT, f"core/{own} stands in no row"
    for module in imports(file):
        if (below := chapter(module)) is not None:
            assert HEIGHT[below] <= HEIGHT[own], f"{named(file)} imports {module}, which stands above it"


@pytest.mark.parametrize("file", [f for f in SOURCES if f not in CORE], ids=named)
def test_pages_share_only_components_and_the_core(file):
    shared = [m for m in imports(file) if m.startswith("pages.") and not m.startswith("pages.components")]
    assert not shared


@pytest.mark.parametrize("file", SOURCES, ids=named)
def test_modules_are_about_one_thing(file):
    assert len(file.read_text("utf-8").splitlines()) <= LONGEST


def test_requirements_are_what_is_imported():
    """Each pinned, none missing, none left over but for what other libraries import for us."""
    text = (PROJECT / "requirements.txt").read_text("utf-8")
    lines = [line for line in (line.split("#")[0].strip() for line in text.splitlines()) if line]
    assert all("==" in line for line in lines)
    required = {line.split("==")[0] for line in lines}
    imported = {module.split(".")[0] for file in SOURCES for module in imports(file)}
    outside = imported - set(sys.stdlib_module_names) - {"core", "pages", "__future__", ""}
    needed = {OTHERWISE_NAMED.get(name, name.replace("_", "-")) for name in outside}
    assert required - FOR_OTHERS == needed


def test_reading_starts_without_torch(tmp_path):
    from PIL import Image, ImageDraw

    picture = Image.new("L", (200, 200), 255)
    ImageDraw.Draw(picture).line((100, 30, 100, 170), fill=0, width=14)
    picture.save(tmp_path / "one.png")
    loaded = in_fresh_python(
        "import sys, core.reading.live, core.reading.video\n"
        "from core.cli import main\n"
        "assert main(['networks', '--json']) == 0\n"
        "assert main(['read', sys.argv[1], '--json']) == 0\n"
        "print(*sys.modules)",
        str(tmp_path / "one.png"),
    ).splitlines()[-1]
    assert "onnxruntime" in loaded.split()
    assert not {"torch", "torchvision", "sklearn", "streamlit"} & set(loaded.split())
