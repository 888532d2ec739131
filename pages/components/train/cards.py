"""Single test samples: pictures as cards that fit any width, rows of a table as a table."""

from html import escape

import numpy as np
import pandas as pd
import streamlit as st

from core.reading import written
from core.report.sample_figures import picture_address
from pages.components.train.tested import Tested


def show_cards(tested: Tested, index: np.ndarray) -> None:
    """The pictures at these places of the test set, each with what it is read as and how surely."""
    st.html(f'<div class="test-cards">{"".join(_card(tested, int(i)) for i in index)}</div>')


def _card(tested: Tested, i: int) -> str:
    result = tested.result
    true, answer = (escape(written(result.classes[labels[i]])) for labels in (result.labels, result.predicted))
    right = result.right[i]
    said = f"<b>{answer}</b>" if right else f"<b>✗ {answer}</b> is {true}"
    picture = picture_address(tested.samples.images[i].numpy(), scale=3)
    about = f"test sample {i + 1}: a {true}, read as {answer}"
    share = min(float(result.confidence[i]), 0.999)  # never 100 %, which nobody can know
    return (
        f'<figure class="{"right" if right else "wrong"}"><img alt="{about}" src="{picture}">'
        f"<figcaption>{said}<span>{share:.1%} · #{i + 1}</span></figcaption></figure>"
    )


def show_rows(tested: Tested, index: np.ndarray) -> None:
    """The rows at these places of the test set, with what they are taken for."""
    result, samples = tested.result, tested.samples
    answers = {
        "#": index + 1,
        "true": [written(result.classes[i]) for i in result.labels[index]],
        "answer": [written(result.classes[i]) for i in result.predicted[index]],
        "confidence": [f"{share:.1%}" for share in result.confidence[index]],
    }
    features = pd.DataFrame(samples.inputs[index].numpy(), columns=list(samples.columns)).round(2)
    st.dataframe(pd.concat([pd.DataFrame(answers), features], axis=1), hide_index=True, width="stretch")
    st.caption("The features stand in standard deviations from the training part's mean, as the network gets them.")
