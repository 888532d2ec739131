"""What UMAP's library compiles, kept on disk: else each process compiles the same anew, for about 13 s."""

from pathlib import Path


def keep_compiled(folder: Path) -> None:
    """Makes Numba keep there what it compiles for UMAP, and take it from there the next time.

    umap-learn keeps none of the functions that it compiles when they are first called. Numba makes new ones where a
    library, Numba or the processor is another. To be called before a map is made.
    """
    import numba
    from umap import layouts, umap_, utils

    # not before: what was kept elsewhere at the imports would be compiled anew
    numba.config.CACHE_DIR = str(folder)  # type: ignore[attr-defined]  # Numba sets its settings' names as it starts
    for function in (
        utils.fast_knn_indices,
        umap_.smooth_knn_dist,
        umap_.compute_membership_strengths,
        layouts._nb_optimize_layout_euclidean_single_epoch,
    ):
        function.enable_caching()
