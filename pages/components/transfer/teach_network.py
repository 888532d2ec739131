"""The network before and after: what was learned, layer by layer, and both as PyTorch prints them."""

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from pages.components.tiles import show_tiles

if TYPE_CHECKING:
    from core.transfer.teach_job import Lesson


def before_and_after(lesson: "Lesson") -> None:
    from core.networks.base import count_parameters
    from core.report.transfer_tables import layer_changes

    attempt = lesson.attempt
    before, after = attempt.source.module(), attempt.network
    show_tiles(
        {
            "Parameters before": f"{count_parameters(before):,}",
            "Parameters after": f"{attempt.parameters:,}",
            "Learned": f"{attempt.trainable:,}",
            "Left as they were": f"{attempt.frozen:,}",
        },
        {"Learned": "Weights that the teaching changed; all others are the source's, to the last digit."},
    )
    changes = layer_changes(before, after)
    st.dataframe(
        pd.DataFrame(
            {
                "layer": [c.name for c in changes],
                "kind": [c.kind for c in changes],
                "output before": [c.shape_before for c in changes],
                "output after": [c.shape_after for c in changes],
                "parameters before": [c.parameters_before for c in changes],
                "parameters after": [c.parameters_after for c in changes],
                "weights": [c.learned for c in changes],
            }
        ),
        hide_index=True, width="stretch", key="transfer_layers",
        column_config={
            f"parameters {when}": st.column_config.NumberColumn(format="localized") for when in ("before", "after")
        },
    )  # fmt: skip
    st.caption(
        f"Found by comparing every weight with the one that {attempt.source.name} has. N stands for the number of "
        "pictures; what has no weights learns nothing."
    )
    left, right = st.columns(2)
    with left:
        st.markdown("**Before, as PyTorch prints it**")
        st.code(repr(before), language=None)
    with right:
        st.markdown("**After**")
        st.code(repr(after), language=None)
