"""What a network is made of, as tables and tiles show it."""

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:  # torch comes with it, and takes seconds
    from core.networks.summary import LayerRow, Totals


def layer_table(rows: "list[LayerRow]") -> pd.DataFrame:
    """A row for each layer, in the order in which they run."""
    return pd.DataFrame(
        {
            "layer": [row.name for row in rows],
            "kind": [row.kind for row in rows],
            "output shape": [row.output_shape for row in rows],
            "parameters": [row.parameters for row in rows],
            "weights": [row.state for row in rows],
        }
    )


def totals_tiles(totals: "Totals") -> dict[str, str]:
    """Name → figure, for `show_tiles`."""
    return {
        "Parameters": f"{totals.parameters:,}",
        "Trainable": f"{totals.trainable:,}",
        "Frozen": f"{totals.frozen:,}",
        "Multiply-adds": f"{totals.multiply_adds / 1e6:,.3g} M",
    }
