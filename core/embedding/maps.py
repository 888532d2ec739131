"""Maps of a space in two or three dimensions: PCA, t-SNE and UMAP."""

from dataclasses import dataclass, field

import numpy as np

from core.embedding.progress import Tell, quiet
from core.errors import DataError

PCA, TSNE, UMAP = "pca", "tsne", "umap"
KINDS = {PCA: "PCA", TSNE: "t-SNE", UMAP: "UMAP"}
EXPLAINED = 10  # main axes whose share of the variance is told
PLACED_BY = 5  # neighbours whose places a new sample's place on t-SNE and UMAP is the mean of (a heuristic)
EARLY, LATE = 250, 500  # iterations of openTSNE: with exaggeration, and after it
MOST_NEIGHBOURS = 200
FEWEST = 5  # samples


@dataclass(frozen=True)
class MapConfig:
    """What map is asked for; with the space it is the key of what is kept."""

    kind: str = PCA  # linear, exact and quick; the others bend the space
    dimensions: int = 2
    perplexity: int = 30  # t-SNE: about how many neighbours a sample looks to; van der Maaten and Hinton: 5 to 50
    neighbours: int = 15  # UMAP: the same; its authors' default
    min_distance: float = 0.1  # UMAP: how close samples may lie; its authors' default
    seed: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise DataError(f"There is no map {self.kind!r}; choose one of: {', '.join(KINDS)}.")
        if self.dimensions not in (2, 3):
            raise DataError(f"A map has 2 or 3 dimensions, not {self.dimensions}.")
        for name, value in (("perplexity", self.perplexity), ("number of neighbours", self.neighbours)):
            if not 2 <= value <= MOST_NEIGHBOURS:
                raise DataError(f"The {name} lies between 2 and {MOST_NEIGHBOURS}, not at {value}.")
        if not 0 <= self.min_distance <= 1:
            raise DataError(f"The least distance lies between 0 and 1, not at {self.min_distance}.")
        if not 0 <= self.seed < 2**31:
            raise DataError(f"The seed lies between 0 and {2**31 - 1:,}, not at {self.seed}.")

    @property
    def decisive(self) -> tuple[object, ...]:
        """What the map depends on: the settings of the other kinds do not matter."""
        own = {TSNE: (self.perplexity, self.seed), UMAP: (self.neighbours, self.min_distance, self.seed)}
        return (self.kind, self.dimensions, *own.get(self.kind, ()))

    @property
    def title(self) -> str:
        return f"{KINDS[self.kind]} in {self.dimensions}-D"


@dataclass(frozen=True, eq=False)
class Map:
    """Where each sample of a space lies."""

    config: MapConfig
    layout: np.ndarray  # (N, dimensions) float32
    explained: np.ndarray = field(default_factory=lambda: np.zeros(0))  # PCA: shares of the variance, largest first
    mean: np.ndarray | None = None  # PCA: (D,)
    axes: np.ndarray | None = None  # PCA: (dimensions, D)

    @property
    def places_exactly(self) -> bool:
        """Whether new samples have a place of their own on the map."""
        return self.axes is not None

    def place(self, embeddings: np.ndarray, new: np.ndarray) -> np.ndarray:
        """Where new samples `(M, D)` of the space lie, `(M, dimensions) float32`.

        PCA knows it exactly. t-SNE and UMAP do not: there it is the mean of the places of the `PLACED_BY` nearest
        samples in the space.
        """
        if self.axes is not None and self.mean is not None:
            return _padded((new - self.mean) @ self.axes.T, self.config.dimensions)
        return self.layout[closest(embeddings, new, PLACED_BY)].mean(1)


def closest(embeddings: np.ndarray, new: np.ndarray, k: int) -> np.ndarray:
    """`(M, k) int64`: the samples of the space that are nearest to new ones `(M, D)`, the nearest first."""
    from sklearn.neighbors import NearestNeighbors

    search = NearestNeighbors(algorithm="brute").fit(embeddings)
    return search.kneighbors(new, min(k, len(embeddings)), return_distance=False)


def make_map(embeddings: np.ndarray, config: MapConfig, tell: Tell = quiet, threads: int = 2) -> Map:
    """The map of `(N, D)` embeddings; `tell(done, total)` counts iterations.

    `tell` must not raise: umap-learn's progress bar would then never let go of a lock that all bars of a process share.
    To break a map off, end its process (`map_job`).

    The same seed makes the same map on the same machine. Raises `DataError` where there are too few samples.
    """
    count = len(embeddings)
    if config.kind == PCA:
        return _pca(embeddings, config)
    if count < FEWEST:
        raise DataError(f"A map by {KINDS[config.kind]} needs at least {FEWEST} samples, not {count}; take more.")
    if config.kind == TSNE and 3 * config.perplexity > count - 1:
        raise DataError(
            f"A perplexity of {config.perplexity} needs at least {3 * config.perplexity + 1} samples, not {count}; "
            f"take more, or a perplexity of at most {max(2, (count - 1) // 3)}."
        )
    if config.kind == UMAP and config.neighbours >= count:
        raise DataError(f"{config.neighbours} neighbours need more than {config.neighbours} samples, not {count}.")
    if not np.isfinite(embeddings).all():
        raise DataError("The network makes numbers without bound of some samples, which no map can show.")
    make = _tsne if config.kind == TSNE else _umap
    layout = make(embeddings, config, tell, threads)
    return Map(config, np.ascontiguousarray(layout, np.float32))


def _pca(embeddings: np.ndarray, config: MapConfig) -> Map:
    if not np.isfinite(embeddings).all():
        raise DataError("The network makes numbers without bound of some samples, which no map can show.")
    from sklearn.decomposition import PCA as MainAxes

    wanted = min(EXPLAINED, *embeddings.shape)
    solver = "randomized" if min(embeddings.shape) > 500 else "auto"
    with np.errstate(invalid="ignore"):  # samples that are all the same have no variance to share out
        found = MainAxes(wanted, svd_solver=solver, random_state=0).fit(embeddings)
    axes = found.components_[: config.dimensions]
    layout = _padded((embeddings - found.mean_) @ axes.T, config.dimensions)
    shares = np.nan_to_num(found.explained_variance_ratio_)
    return Map(config, layout, shares, found.mean_, axes)


def _padded(places: np.ndarray, dimensions: int) -> np.ndarray:
    """A layer of one or two numbers has no further axes."""
    missing = dimensions - places.shape[1]
    return np.pad(places, ((0, 0), (0, max(0, missing)))).astype(np.float32)


def _tsne(embeddings: np.ndarray, config: MapConfig, tell: Tell, threads: int) -> np.ndarray:
    """openTSNE: interpolation by FFT for many samples (Linderman et al., 2019), Barnes-Hut for few and for 3-D."""
    from openTSNE import TSNE as Embedder

    phase, seen = 0, 0

    def progress(iteration: int, _error: float, _embedding: np.ndarray) -> bool:
        nonlocal phase, seen
        if iteration < seen:  # counted anew after the exaggeration
            phase += EARLY
        seen = iteration
        tell(min(phase + iteration, EARLY + LATE), EARLY + LATE)
        return False

    tell(0, EARLY + LATE)
    embedder = Embedder(
        n_components=config.dimensions, perplexity=config.perplexity, random_state=config.seed, n_jobs=threads,
        early_exaggeration_iter=EARLY, n_iter=LATE, callbacks=progress, callbacks_every_iters=10,
        negative_gradient_method="bh" if config.dimensions == 3 else "auto",
    )  # fmt: skip
    return np.asarray(embedder.fit(embeddings))


def _umap(embeddings: np.ndarray, config: MapConfig, tell: Tell, threads: int) -> np.ndarray:
    """umap-learn; a seed makes it use one thread."""
    from umap import UMAP as Embedder

    bar = {"disable": False, "file": _Bar(tell), "mininterval": 0.2, "bar_format": "{n_fmt}/{total_fmt}"}
    embedder = Embedder(
        n_components=config.dimensions, n_neighbors=config.neighbours, min_dist=config.min_distance,
        random_state=config.seed, n_jobs=1, tqdm_kwds=bar,
    )  # fmt: skip
    return np.asarray(embedder.fit_transform(embeddings))


class _Bar:
    """Takes the place of the screen that umap-learn writes its progress bar to: it tells of it in no other way."""

    def __init__(self, tell: Tell) -> None:
        self.tell = tell

    def write(self, text: str) -> None:
        done, slash, total = text.strip().partition("/")
        if slash and done.isdigit() and total.isdigit():
            self.tell(int(done), int(total))

    def flush(self) -> None:
        """Nothing is held back."""
