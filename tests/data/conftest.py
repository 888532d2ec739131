"""Pictures and tables of the tests' own."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

HEADER = (
    "Age,Sex,ChestPainType,RestingBP,Cholesterol,FastingBS,RestingECG,MaxHR,ExerciseAngina,Oldpeak,ST_Slope,"
    "HeartDisease"
)


def _png(seed: int = 0, paper: int = 255, ink: int = 0, size_wh: tuple[int, int] = (60, 80)) -> bytes:
    x, y = np.random.default_rng(seed).integers(15, 25, 2)
    image = Image.new("L", size_wh, paper)
    ImageDraw.Draw(image).line((x, y, x + 10, y + 40), fill=ink, width=6)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def png() -> Callable[..., bytes]:
    """`png(7)` → a picture file: a thick stroke somewhere on plain paper."""
    return _png


@pytest.fixture
def image_folder(tmp_path) -> Callable[..., Path]:
    """`image_folder("symbols", ones=3, twos=5)` → a folder with so many pictures in a folder for each class."""

    def make(place: str, **counts: int) -> Path:
        for label, count in counts.items():
            (tmp_path / place / label).mkdir(parents=True)
            for number in range(count):
                (tmp_path / place / label / f"{number}.png").write_bytes(_png(number))
        return tmp_path / place

    return make


@pytest.fixture
def heart_header() -> str:
    return HEADER


@pytest.fixture
def heart_rows() -> Callable[..., list[str]]:
    """`heart_rows(10)` → the rows of ten made-up patients, five of them ill."""
    return _heart_rows


def _heart_rows(count: int, seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    return [
        f"{rng.integers(30, 80)},{rng.choice(['M', 'F'])},{rng.choice(['ASY', 'NAP', 'ATA', 'TA'])},"
        f"{rng.integers(100, 180)},{rng.integers(150, 350)},{rng.integers(2)},{rng.choice(['Normal', 'ST', 'LVH'])},"
        f"{rng.integers(80, 200)},{rng.choice(['N', 'Y'])},{rng.integers(-10, 40) / 10},"
        f"{rng.choice(['Up', 'Flat', 'Down'])},{number % 2}"
        for number in range(count)
    ]


@pytest.fixture
def heart_file(tmp_path) -> Callable[[list[str]], Path]:
    """`heart_file(rows)` → a CSV file with the right header and these rows."""

    def make(rows: list[str], header: str = HEADER) -> Path:
        file = tmp_path / "heart.csv"
        file.write_text("\n".join([header, *rows]) + "\n")
        return file

    return make
