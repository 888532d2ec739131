"""A table's row in the table's own words."""

from typing import Any

import numpy as np


def feature_texts(preparation: dict[str, Any], row: np.ndarray) -> list[str]:
    """`(F,)` scaled features → "Age = 54", "Sex = M"; `preparation` is how the table was scaled (its passport's)."""
    values = row * np.array(preparation["deviations"]) + np.array(preparation["means"])
    texts = []
    for name, value in zip(preparation["columns"], values.tolist(), strict=True):
        categories = preparation.get("categories", {}).get(name)
        texts.append(f"{name} = {categories[round(value)] if categories else f'{round(value, 3):g}'}")
    return texts
