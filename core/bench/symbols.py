"""Symbols that nobody has ever seen: how well five samples of each teach them."""

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import torch
from scipy.interpolate import make_interp_spline

from core.data import Samples
from core.data.strokes import PEN_PX, Stroke, bend, render
from core.networks import open_network
from core.networks.base import Network
from core.training.fit import predict
from core.transfer.methods import Taught, TransferConfig, teach

SYMBOLS, TAUGHT, ASKED = 5, 5, 20  # in each alphabet; samples of each that teach, and that are asked
ALPHABETS = 20  # each with other symbols
STYLES = 2  # ways of writing each symbol that teach, and as many others that are asked
STYLE = 0.05  # standard deviation of a style's control points, in parts of the symbol's size
POINTS_A_STROKE, STROKES = (3, 6), (1, 4)  # from, and up to without
ALIKE = 0.7  # correlation of two blurred symbols from which they are one: such a one is drawn again
SLENDER = 0.5  # of its longer side a symbol's shorter one has at least: two lines are told apart by their slant alone
FULLEST = 0.62  # of its box that the thickest pen may fill: more is a blot
CURVE = 24  # points of a stroke as it is drawn

Symbol = list[np.ndarray]  # the control points `(P, 2)` of each stroke, on the unit square


def run(methods: tuple[str, ...] = ("prototypes", "neighbours", "head", "top")) -> Iterator[dict[str, Any]]:
    for name in ("digits", "greek", "report"):
        source = open_network(name).module()
        for method in methods:
            found = [100 * accuracy(source, method, seed) for seed in range(ALPHABETS)]
            yield {
                "what": f"{name} taught {SYMBOLS} invented symbols, {TAUGHT} samples of each: {method}",
                "figure": round(float(np.mean(found)), 2),
                "unit": "% of other styles right, mean of alphabets",
                "n": ALPHABETS,
                "samples": SYMBOLS * ASKED,
                "spread": round(float(np.std(found, ddof=1)), 2),
                "worst": round(min(found), 2),
                "by_alphabet": [round(share) for share in found],
            }


def accuracy(source: Network, method: str, seed: int) -> float:
    """On one alphabet, in [0, 1]."""
    taught, asked = alphabet(seed)
    *_, last = teach(source, taught, TransferConfig(method, seed=seed))
    assert isinstance(last, Taught)
    logits = predict(last.network, asked)
    assert logits is not None
    return (logits.argmax(1) == asked.labels).float().mean().item()


def alphabet(seed: int) -> tuple[Samples, Samples]:
    """Samples that teach and samples that are asked, of the same symbols in other styles, sizes, slants and pens."""
    rng = np.random.default_rng(seed)
    symbols: list[Symbol] = []
    while len(symbols) < SYMBOLS:
        symbol = _invent(rng)
        if all(_likeness(symbol, other) < ALIKE for other in symbols):
            symbols.append(symbol)
    return _write(symbols, TAUGHT, "train", rng), _write(symbols, ASKED, "test", rng)


def _invent(rng: np.random.Generator) -> Symbol:
    """A few strokes through points at random, in none of the alphabets that networks learned, which a pen can show:
    as wide and high as symbols are, and no blot.
    """
    while True:
        symbol = [rng.uniform(0, 1, (rng.integers(*POINTS_A_STROKE), 2)) for _ in range(rng.integers(*STROKES))]
        ink = np.concatenate([_curve(points) for points in symbol])
        size = np.ptp(ink, axis=0)
        glyph = render([_curve(points) for points in symbol], PEN_PX[1])
        x, y, w, h = cv2.boundingRect(glyph)
        filled = (glyph[y : y + h, x : x + w] > 127).mean()
        if size.min() >= SLENDER * size.max() and filled <= FULLEST:
            return symbol


def _write(symbols: list[Symbol], count: int, part: str, rng: np.random.Generator) -> Samples:
    images = []
    for symbol in symbols:
        styles = [[points + rng.normal(0, STYLE, points.shape) for points in symbol] for _ in range(STYLES)]
        for number in range(count):
            strokes = [_curve(points) for points in styles[number % STYLES]]
            images.append(render(bend(strokes, rng), rng.uniform(*PEN_PX)))
    labels = torch.arange(len(symbols)).repeat_interleave(count)
    classes = tuple(f"symbol {i + 1}" for i in range(len(symbols)))
    return Samples("invented symbols", part, torch.from_numpy(np.stack(images)), labels, classes)


def _curve(points: np.ndarray) -> Stroke:
    """A smooth curve through the points."""
    spline = make_interp_spline(np.arange(len(points)), points, k=min(3, len(points) - 1))
    return spline(np.linspace(0, len(points) - 1, CURVE)).astype(np.float32)


def _likeness(one: Symbol, other: Symbol) -> float:
    """The correlation of the blurred symbols."""
    pair = [cv2.GaussianBlur(render([_curve(p) for p in s], 3).astype(np.float32), (0, 0), 2) for s in (one, other)]
    return float(np.corrcoef(pair[0].ravel(), pair[1].ravel())[0, 1])
