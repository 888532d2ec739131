"""What kind of pattern a kernel is, measured on patterns that are known: the figures that the docstrings give."""

import numpy as np
import pytest

from core.inspection.kernel_shape import KernelShape, _direction, describe_kernel, frequency_response
from core.networks.gabor import ORIENTATIONS, gabor_bank

COUNT, FINE = 400, 16  # synthetic kernels of each kind and size; points to a pixel's side


def synthetic(kind: str, size: int, angle: float, rng: np.random.Generator) -> np.ndarray:
    """`(size, size)`, its pixels the means of 16×16 points; `angle` in degrees, counted upwards from the horizontal."""
    at = (np.arange(size * FINE) + 0.5) / FINE - size / 2
    x, y = np.meshgrid(at, -at)
    turned = np.deg2rad(angle)
    across = y * np.cos(turned) - x * np.sin(turned) - rng.uniform(-0.5, 0.5)
    if kind == "edge":
        fine = np.sign(across)
    elif kind == "line":
        fine = (np.abs(across) < rng.uniform(1, 2) / 2) * rng.choice([-1.0, 1.0])
    elif kind == "blob":
        spread = rng.uniform(0.7, 1.2) * max(1, size / 5)
        fine = np.exp(-((x - rng.uniform(-0.5, 0.5)) ** 2 + (y - rng.uniform(-0.5, 0.5)) ** 2) / (2 * spread**2))
    else:
        return rng.normal(size=(size, size))
    kernel = fine.reshape(size, FINE, size, FINE).mean((1, 3))
    return kernel + rng.normal(size=kernel.shape) * 0.15 * kernel.std()


def apart(one: float, other: float) -> float:
    """Degrees between two directions of a line."""
    away = abs(one - other) % 180
    return min(away, 180 - away)


def measured(kind: str, size: int) -> tuple[list[KernelShape], np.ndarray]:
    rng = np.random.default_rng(size)
    shapes, errors = [], []
    for _ in range(COUNT):
        angle = rng.uniform(0, 180)
        kernel = synthetic(kind, size, angle, rng)
        shapes.append(describe_kernel(kernel))
        errors.append(apart(_direction(kernel)[0], angle))
    return shapes, np.array(errors)


def test_the_gabor_bank_is_named_rightly():
    errors = []
    for i, kernel in enumerate(gabor_bank()[:, 0].numpy()):
        shape = describe_kernel(kernel)
        assert shape.kind == ("line" if i < ORIENTATIONS else "edge")
        errors.append(apart(shape.angle, 90 - 36 * (i % ORIENTATIONS)))
    assert np.mean(errors) < 0.8
    assert max(errors) < 1.7


@pytest.mark.parametrize(
    ("kind", "size", "mean", "most"),
    [("edge", 3, 3.9, 8.7), ("edge", 5, 3.4, 6.3), ("edge", 7, 2.7, 4.9)]
    + [("line", 3, 2.8, 6.7), ("line", 5, 1.2, 2.6), ("line", 7, 0.8, 1.8)],
)
def test_angles_are_right(kind, size, mean, most):
    errors = measured(kind, size)[1]
    assert errors.mean() < mean
    assert np.percentile(errors, 95) < most


@pytest.mark.parametrize(
    ("kind", "size", "right"),
    [("edge", 3, 0.99), ("edge", 5, 0.99), ("edge", 7, 0.99), ("line", 3, 0.39), ("line", 5, 0.98), ("line", 7, 0.99)]
    + [
        ("blob", 3, 0.18),
        ("blob", 5, 0.99),
        ("blob", 7, 0.99),
        ("mixed", 3, 0.53),
        ("mixed", 5, 0.85),
        ("mixed", 7, 0.98),
    ],
)
def test_kinds_are_right(kind, size, right):
    shapes = measured(kind, size)[0]
    assert np.mean([shape.kind == kind for shape in shapes]) > right


@pytest.mark.parametrize(
    ("kernel", "words"),
    [
        ([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], "edge at 90°, positive on the right"),  # Sobel
        ([[1, 2, 1], [0, 0, 0], [-1, -2, -1]], "edge at 0°, positive on top"),
        ([[2, 1, 0], [1, 0, -1], [0, -1, -2]], "edge at 45°, positive upper left"),
        ([[0, 0, 0], [1, 1, 1], [0, 0, 0]], "positive line at 0°"),
        ([[0, 1, 0], [0, -2, 0], [0, 1, 0]], "negative line at 0°"),
        ([[0, -1, 0], [-1, 4, -1], [0, -1, 0]], "positive blob"),  # a Laplacian
        ([[1, 1, 1], [1, 1.1, 1], [1, 1, 1]], "flat"),
        ([[0, 0, 0], [0, 0, 0], [0, 0, 0]], "flat"),
        ([[3]], "one point: no shape"),
        ([[1, -1], [1, -1]], "mixed"),
    ],
)
def test_known_kernels(kernel, words):
    assert describe_kernel(np.array(kernel, np.float32)).words == words


def test_the_response_is_the_discrete_fourier_sum():
    kernel = np.random.default_rng(0).normal(size=(1, 4, 5))
    response, frequencies = frequency_response(kernel)
    assert response.shape == (1, 64, 64)
    assert frequencies[0] == -0.5
    assert frequencies[32] == 0
    y, x = np.mgrid[:4, :5]
    for row, column in ((32, 32), (3, 40), (60, 7)):
        wave = np.exp(-2j * np.pi * (frequencies[row] * y + frequencies[column] * x))
        assert response[0, row, column] == pytest.approx(abs((kernel[0] * wave).sum()))
    assert response[0, 32, 32] == pytest.approx(abs(kernel.sum()))
