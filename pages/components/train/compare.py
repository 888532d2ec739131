"""Several networks side by side: which is better as far as the test can tell, their table, their curves."""

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from core.networks import Passport, list_networks, open_network
from pages.components.figure import show_figure
from pages.components.train.tested import Tested, test_of
from pages.components.train.titles import dataset_title

if TYPE_CHECKING:
    from core.report.curves import Curve
    from core.training import History
    from core.training.comparison import Candidate, Comparison, Difference

MOST = 5  # networks at once: as many as lines can be told apart
OTHERS = 2  # that are compared at first
UNITS = {"cross-entropy": " (nats per example)", "mse": " (squared error)"}  # of one loss; different ones have none


def compare_panel(network: str) -> None:
    """Choose networks; their verdicts, their table and their curves."""
    passports = {passport.name: passport for passport in list_networks()}
    names = st.multiselect(
        "Networks to compare",
        list(passports),
        default=_at_first(passports, network),
        max_selections=MOST,
        key=f"train_compare_{network}",
        help="Those that were tested on the same samples can be compared most sharply.",
    )
    if len(names) < 2:
        st.info(_what_to_do(passports, network), icon=":material/info:")
        return
    tested = [found for name in names if (found := test_of(name))]
    if len(tested) >= 2:
        _show([_candidate(one) for one in tested])


def _at_first(passports: dict[str, Passport], network: str) -> list[str]:
    """The network in use and others that answered the same test, the most accurate first."""
    from core.training.tested import recorded_test

    own = recorded_test(passports[network])
    same = [p for p in passports.values() if p.name != network and own and recorded_test(p) == own]
    same.sort(key=lambda p: -p.metrics.get("test_accuracy", 0.0))
    return [network, *(p.name for p in same[:OTHERS])]


def _what_to_do(passports: dict[str, Passport], network: str) -> str:
    """How to come to a comparison, where fewer than two networks are chosen."""
    if len(_at_first(passports, network)) > 1:
        return "A comparison needs at least two networks; pick another one."
    data = dataset_title(str(passports[network].data.get("name") or "the same data"))
    return (
        f"No second network was tested on the samples that {network} was. Train one above on the same data ({data}), "
        "with another architecture, seed or other settings; then the two are compared here."
    )


def _candidate(tested: Tested) -> "Candidate":
    from core.training.comparison import Candidate

    passport = tested.network.passport
    epochs = passport.training.get("epochs_done", passport.training.get("epochs"))
    return Candidate(
        passport.name,
        tested.result,
        tested.samples.sha256,
        passport.metrics.get("parameters"),
        epochs,
        passport.training.get("seconds"),
    )


def _show(candidates: list["Candidate"]) -> None:
    from core.report.comparison_figure import accuracy_intervals
    from core.training.comparison import compare

    comparison = compare(candidates)
    left, right = st.columns(2, gap="large")
    with left:
        show_figure(
            accuracy_intervals(comparison.candidates),
            "train_compare_intervals",
            "Each bar is a 95 % interval of one network alone. Two that overlap may still differ: on the same samples "
            "what counts is where they disagree, as the verdicts do.",
        )
    with right:
        st.markdown("##### Which is better?")
        for difference in comparison.differences:
            st.markdown(_verdict(difference))
        st.caption(comparison.note)
    _table(comparison)
    _curves([candidate.name for candidate in comparison.candidates])


def _verdict(difference: "Difference") -> str:
    icon = ":green[:material/check_circle:]" if difference.decided else ":grey[:material/balance:]"
    verdict = difference.verdict.replace("undecided:", "**Undecided:**")
    return f"{icon} {verdict}"


def _table(comparison: "Comparison") -> None:
    rows = [
        {
            "network": row["name"],
            "accuracy": f"{row['accuracy']:.2%}",
            "95 % interval": f"{row['low']:.2%} to {row['high']:.2%}",
            "test samples": row["test_samples"],
            "parameters": row["parameters"],
            "epochs": row["epochs"],
            "training (s)": row["seconds"],
        }
        for row in comparison.rows()
    ]
    counted = ("test samples", "parameters", "training (s)")
    with_commas = {column: st.column_config.NumberColumn(format="localized") for column in counted}
    st.dataframe(
        pd.DataFrame(rows), hide_index=True, width="stretch", column_config=with_commas, key="train_compare_table"
    )


def _curves(names: list[str]) -> None:
    """The curves of those networks that have a history; the others keep their colours' places."""
    from core.training.tested import history_of

    opened = [open_network(name) for name in names]
    histories = {one.name: history for one in opened if (history := history_of(one)) and history.epochs}
    if without := [name for name in names if name not in histories]:
        st.caption(f"There is no curve of {' and '.join(without)}: no history of the training was kept.")
    if histories:
        losses = {str(one.passport.training.get("loss")) for one in opened if one.name in histories}
        _show_curves({name: histories.get(name) for name in names}, losses.pop() if len(losses) == 1 else "")


@st.fragment
def _show_curves(histories: dict[str, "History | None"], loss: str) -> None:
    from core.report.curves import compare_curves

    kinds = ["Test accuracy", "Test loss", "Training loss"]
    kind = st.segmented_control("Curves", kinds, default=kinds[0], required=True, key="train_compare_kind")
    unit = " (%)" if kind == kinds[0] else UNITS.get(loss, "")
    curves = [_curve(name, history, kind) for name, history in histories.items()]
    show_figure(
        compare_curves(curves, "examples seen", kind.lower() + unit, f"{kind} while learning", log=kind != kinds[0]),
        "train_compare_curves",
        "Each line bears its network's name at its end. Over the examples seen, trainings with batches and epochs of "
        "different sizes stand on the same scale.",
    )


def _curve(name: str, history: "History | None", kind: str) -> "Curve":
    import numpy as np

    from core.report.curves import Curve, smooth

    if history is None:
        return Curve(name, np.empty(0), np.empty(0))
    if kind == "Training loss":
        return Curve(name, np.array(history.examples, float), smooth(np.array(history.losses, float)))
    if kind == "Test accuracy":  # without that of the untrained network, whose guesses would flatten all others
        points = [(epoch["examples"], epoch["test_accuracy"] * 100) for epoch in history.epochs]
    else:
        points = [(0, history.untrained["test_loss"])] if history.untrained else []
        points += [(epoch["examples"], epoch["test_loss"]) for epoch in history.epochs]
    return Curve(name, *np.array(points, float).T)
