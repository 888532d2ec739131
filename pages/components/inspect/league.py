"""The league of networks: measured in the background, kept on disk, shown as heat maps and as a table."""

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.errors import InklingError
from core.networks import list_readers, open_network
from pages.components.figure import show_figure
from pages.components.inspect.view import View
from pages.components.screen import is_narrow

if TYPE_CHECKING:
    from core.inspection.league import Standing
    from core.inspection.league_job import LeagueJob

EVERY_S = 1.0
GROUP, ONE = "league_group", "league_one"


def league_panel(view: View) -> None:
    """What is known already, and the button that measures the rest."""
    from core.inspection import league, league_job

    groups = league.groups(list_readers())
    if not groups:
        st.info(
            "No network in the store says which data set it was tested on; train one first.", icon=":material/info:"
        )
        return
    keys = list(groups)
    own = next((i for i, key in enumerate(keys) if view.subject.name in groups[key]), 0)
    chosen = keys[own]
    if len(keys) > 1:
        chosen = st.selectbox(
            "Networks tested on", keys, index=own, key=GROUP, format_func=lambda k: _described(k, len(groups[k]), keys),
            help="Only networks that tell the same classes apart on the same test samples can be ranked.",
        )  # fmt: skip
    job = league_job.latest()
    running = job is not None and job.running
    st.fragment(_league, run_every=EVERY_S if running else None)(view, groups[chosen], running, is_narrow())


def _described(key: tuple[str, tuple[str, ...]], count: int, keys: list[tuple[str, tuple[str, ...]]]) -> str:
    name, classes = key
    same = sum(other[0] == name for other in keys) > 1
    return f"{name}{f', {len(classes)} classes' if same else ''}: {count} network{'s' if count > 1 else ''}"


def _league(view: View, names: list[str], seen_running: bool, narrow: bool) -> None:
    from core.inspection import league_job

    job = league_job.latest()
    if seen_running != (job is not None and job.running):
        st.rerun()  # with the timer, or without it
    standings, problems = _standings(names)
    if job is not None:
        problems |= {name: said for name, said in job.errors.items() if name in names}
    _control(job, names, standings, problems)
    for name, said in problems.items():
        st.warning(f"{name}: {said}", icon=":material/warning:")
    known = [s for s in standings if s.right]
    if known:
        _show(view, known, narrow)


def _standings(names: list[str]) -> tuple[list["Standing"], dict[str, str]]:
    """What is on disk, and what is wrong with the rest; read anew each time, for a measurement may go on."""
    from core.inspection.league import standing_of

    found, problems = [], {}
    for name in names:
        try:
            found.append(standing_of(open_network(name).passport))
        except InklingError as error:
            problems[name] = str(error)
    return found, problems


def _control(job: "LeagueJob | None", names: list[str], standings: list["Standing"], problems: dict[str, str]) -> None:
    if job is not None and job.running:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.progress(job.done / job.total, _progress(job))
            st.button("Stop", icon=":material/stop_circle:", key="league_stop", on_click=job.stop)
        return
    if job is not None and job.state == "stopped":
        st.caption("The measurement was stopped; what it measured is kept, and it goes on from there.")
    missing = [s.network for s in standings if not s.complete]
    if not missing:
        if standings and not problems:
            st.caption("All of them are measured. A network that is new or was trained anew can be measured here then.")
        return
    whole = len(missing) == len(names) and not any(s.right for s in standings)
    label = "Measure all networks" if whole else f"Measure what is missing: {len(missing)} of {len(names)} networks"
    if st.button(label, icon=":material/play_arrow:", key="league_start", type="primary"):
        from core.inspection.league_job import start

        start(missing)
        st.rerun()
    st.caption(
        "2,000 samples of their test set, drawn once, under 15 corruptions at 5 strengths. It goes on in the "
        "background: you may leave the page. What is measured is kept."
    )


def _progress(job: "LeagueJob") -> str:
    left = job.seconds_left
    when = "" if left is None else f", about {max(1, round(left))} s left" if left < 90 else (
        f", about {round(left / 60)} minutes left"
    )  # fmt: skip
    return f"{job.current or 'The next network'} is being tested{when}"


def _show(view: View, known: list["Standing"], narrow: bool) -> None:
    from core.inspection.corruptions import CORRUPTIONS, STRENGTHS
    from core.report.robustness_figures import league_figure

    ranked = sorted(known, key=lambda s: -_mean(s))
    titles = [kind.title for kind in CORRUPTIONS.values()]
    _ranking(ranked)
    units = ("clean", *CORRUPTIONS)
    table = np.array([[_number(s.accuracy(unit)) for unit in units] for s in ranked])
    axes = ([s.network for s in ranked], "network"), (["clean", *titles], "corruption")
    (rows, row_title), (columns, column_title) = axes[::-1] if narrow else axes
    show_figure(
        league_figure(
            table.T if narrow else table, rows, columns, "Right, mean of five strengths", column_title, row_title
        ),
        "league_all",
        f"The most robust network stands {'on the left' if narrow else 'at the top'}. Green cells: most samples are "
        "still read right; red: few are. Empty cells are not measured yet.",
    )
    names = [s.network for s in ranked]
    own = names.index(view.subject.name) if view.subject.name in names else 0
    name = st.selectbox("One network by strength", names, index=own, key=ONE)
    one = ranked[names.index(name)]
    show_figure(
        league_figure(
            np.array([one.accuracies(kind) for kind in CORRUPTIONS]), titles, [str(s) for s in STRENGTHS],
            f"{name}: right at each strength", "strength", "corruption",
        ),
        "league_one_figure",
        "A row for each corruption, weak to strong; where it turns red, most samples are misread. Strength 1 is mild; "
        "5 is strong, and not every person reads every one.",
    )  # fmt: skip


def _ranking(ranked: list["Standing"]) -> None:
    import pandas as pd

    rows = []
    for place, s in enumerate(ranked, 1):
        clean = s.accuracy("clean")
        mean, low, high = s.mean if s.complete else (None, None, None)
        rows.append(
            {
                "place": place if s.complete else None,
                "network": s.network,
                "clean": None if clean is None else _percent(clean),
                "mean of all 75": "being measured" if mean is None else _percent(mean),
                "95 % interval": "" if mean is None else f"{low * 100:.1f} to {_percent(high)}",
                "samples": s.samples,
            }
        )
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch", key="league_table")
    st.caption(
        "The mean is over all corruptions and strengths; its interval takes into account that the same samples stand "
        "in all 75 cells. Two intervals that overlap leave the order open."
    )


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"


def _mean(standing: "Standing") -> float:
    return standing.mean[0] if standing.complete else -1.0


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
