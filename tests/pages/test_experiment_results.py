"""What a study found out, as the page shows it."""

import io
import subprocess
import sys

import optuna
import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.bench.studies import STUDY, fill
from core.experiments import confirm
from core.experiments.looks import Look, Looks
from core.experiments.search import distributions
from core.experiments.storage import Storage
from core.experiments.study import Study
from core.experiments.table import RESULT, trials_table
from core.networks import open_network
from core.paths import PROJECT
from core.training import list_runs
from pages.components.experiments.result_table import csv_of

ASKED = Study.from_json(STUDY.to_json() | {"hypothesis": "More $dropout$ *hurts*."})
CHARTS = {"Overview": 2, "Table": 0, "Dimensions": 4, "Pairs": 2, "Cost": 3, "Confirm": 1, "Keep": 0}


@pytest.fixture
def storage(inkling_home) -> Storage:
    """Nine trials, one of them confirmed; one more failed."""
    storage = Storage()
    fill(storage, ASKED, trials=9)
    failed = optuna.trial.create_trial(
        state=optuna.trial.TrialState.FAIL, distributions=distributions(ASKED),
        params={"dropout": 0.1, "filters": 8, "activation": "relu", "learning_rate": 0.01},
        user_attrs={RESULT: {"accuracies": [], "problem": "No pixel is left."}},
    )  # fmt: skip
    storage.open(ASKED.name)[1].add_trial(failed)
    look = (ASKED.name, ASKED.dataset, 0, (1, 2), 3, ("key",), "finished", (0.9, 0.91), (0.88, 0.9), 300, 0.85, 0.92)
    Looks(storage).write(Look(*look, searched=(0.95,), settings="Dropout 0.1"))
    return storage


def opened(section: str) -> AppTest:
    st.cache_resource.clear()
    app = AppTest.from_file(PROJECT / "app.py", default_timeout=60)
    app.session_state["experiment_section"] = section
    app.switch_page("pages/experiments.py").run()
    assert not app.exception, app.exception[0].stack_trace
    return app


def said(app: AppTest) -> str:
    parts = [*app.markdown, *app.caption, *app.info, *app.warning, *app.error, *app.success]
    return " ".join(str(part.value) for part in parts)


@pytest.mark.parametrize("section", CHARTS)
def test_every_section_of_a_study_with_all_kinds_of_trials(storage, section):
    app = opened(section)
    assert len(app.get("plotly_chart")) == CHARTS[section]
    text = said(app)
    if section == "Overview":
        assert r"More \$dropout\$ \*hurts\*." in text
        assert "Not decided by this data" in text
        assert "1 of 10 trials failed and are left out" in text
    if section == "Table":
        table = app.dataframe[0].value
        assert table["problem"].tolist().count("No pixel is left.") == 1
        assert "10 trials: 9 complete, 1 failed." in text
    if section == "Pairs":
        assert "Importance cannot be told from 9 finished trials" in text
    if section == "Confirm":
        assert "looked at once for this study" in text
        assert "89.00%" in text
        assert "Its figure is as honest as it can be." in text


def test_a_study_is_shown_without_what_is_slow_to_import(storage):
    code = (
        "import sys\n"
        "from pages.components import warm_up\n"
        "from streamlit.testing.v1 import AppTest\n"
        "warm_up.AFTER_S = 1e6\n"
        "app = AppTest.from_file('app.py', default_timeout=60).switch_page('pages/experiments.py').run()\n"
        "assert not app.exception and len(app.get('plotly_chart')) == 2\n"
        "print(*{name.split('.')[0] for name in sys.modules}, *(n for n in sys.modules if n.startswith('scipy.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.split())
    assert "optuna" in loaded
    assert not {"torch", "torchvision", "sklearn", "scipy.stats", "scipy.ndimage"} & loaded


def test_trials_are_filtered_and_taken_away_as_csv(storage):
    app = opened("Table")
    app.multiselect("experiment_filter_state").select("failed").run()
    assert app.dataframe[0].value["state"].tolist() == ["failed"]
    app.multiselect("experiment_filter_dropout").select("0.5").run()
    assert "No trial is like this" in said(app)
    table = trials_table(storage, ASKED.name)
    again = pd.read_csv(io.BytesIO(csv_of(table)))
    assert again["number"].tolist() == table["number"].tolist()
    assert again["accuracy"].tolist() == pytest.approx(table["accuracy"].tolist(), nan_ok=True)
    assert "units" not in again


def test_a_confirmation_begins_can_be_stopped_and_says_why_it_cannot(storage, monkeypatch):
    class Never:
        def __init__(self, workers: int) -> None: ...
        def submit(self, task):
            from concurrent.futures import Future

            return Future()

        def close(self, at_once: bool) -> None: ...

    monkeypatch.setattr(confirm, "Processes", Never)
    app = opened("Confirm")
    app.button("experiment_confirm").click().run()
    going = confirm.current(ASKED, storage)
    assert going.running
    assert going.seeds == (3, 4, 5)  # no trial's, no earlier confirmation's
    app.run()
    app.button("experiment_confirm_stop").click().run()
    going.join(60)
    app.run()
    assert "was stopped" in said(app)
    assert Looks(storage).at(ASKED.dataset) == 1
    monkeypatch.setattr(confirm, "setup_text", lambda of: confirm.fresh_seeds(ASKED, [], 99))
    app.button("experiment_confirm").click().run()
    assert "1 to 20 seeds, not 99" in said(app)


def test_a_trial_is_kept_under_a_name_of_its_own(storage, monkeypatch):
    from core.training import create_run, jobs

    monkeypatch.setattr(jobs, "start", create_run)
    app = opened("Keep")
    field = name_field(app)
    name = field.value
    assert name.startswith("many-")
    field.set_value("no/name").run()
    app.button("experiment_keep").click().run()
    assert "no/name" in said(app)
    name_field(app).set_value(name).run()
    app.button("experiment_keep").click().run()
    assert [run.name for run in list_runs()] == [name]


def name_field(app: AppTest):
    return next(field for field in app.text_input if field.key.startswith("experiment_keep_name"))


def test_results_come_with_the_first_trial(inkling_home):
    Storage().keep(ASKED)
    assert "Results come with the first one." in said(opened("Overview"))


def test_a_trial_of_letters_is_kept(inkling_home):
    letters = Study(
        "Do samples help?", name="letters", dataset="digits-8x8", dimensions={"samples": (18, 27)}, folds=3,
        settings={"source": "report", "letters": "3, 5, 8", "method": "prototypes"},
    )  # fmt: skip
    fill(Storage(), letters, trials=2)
    app = opened("Keep")
    assert "this counts as a look at the test set" in said(app)
    app.text_input[-1].set_value("a/b")
    app.button("experiment_keep").click().run()
    assert "a/b" in app.error[0].value
    app.text_input[-1].set_value("three")
    app.button("experiment_keep").click().run()
    app.session_state["experiment_keep_job"].join(60)
    app.run()
    assert [one.value for one in app.success] == ["three is stored; every page can use it."]
    assert open_network("three").passport.classes == ("3", "5", "8")
