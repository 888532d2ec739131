"""Experiments, watching: studies as a storage has them, whoever works on them; nothing is trained."""

import json

import optuna
import pytest
import sqlalchemy as sa
from optuna.trial import TrialState, create_trial

from core.errors import ExperimentError
from core.experiments.ledger import LEASES, Lease, Ledger
from core.experiments.removal import delete_study
from core.experiments.search import distributions
from core.experiments.storage import RECORD, Storage
from core.experiments.study import Study

PAGE = "pages/experiments.py"
ELSEWHERE = "elsewhere:1:abc"
STUDY = Study(
    "Does *dropout* help?", {"dropout": (0.1, 0.3, 0.5)}, name="asked", hypothesis="A little.", dataset="digits-8x8"
)
ACCURACIES = (0.9, 0.95)


@pytest.fixture
def storage(inkling_home) -> Storage:
    """With the study `asked`: two trials that ended well, the second better, and one that failed."""
    storage = Storage()
    begin(storage, STUDY)
    return storage


def begin(storage: Storage, study: Study) -> None:
    found = storage.keep(study)
    for dropout, accuracy in zip(study.dimensions["dropout"], (*ACCURACIES, None), strict=True):
        result = {
            "accuracies": [accuracy] if accuracy else [], "seconds": 1.0, "cached": False, "train_accuracy": 0.9,
            "parameters": 100, "before": [0.1], "units": [], "epochs": 3,
            "problem": "" if accuracy else "It _broke_ off.",
        }  # fmt: skip
        found.add_trial(
            create_trial(
                state=TrialState.COMPLETE if accuracy else TrialState.FAIL, values=[accuracy] if accuracy else None,
                params={"dropout": dropout}, distributions=distributions(study), user_attrs={"result": result},
            )
        )  # fmt: skip


def hold(storage: Storage, name: str) -> None:
    """Another machine works on the study."""
    state = json.dumps({"planned": 3, "seconds": 30.0, "workers": 8, "executor": "dask"})
    values = {"study": name, "owner": ELSEWHERE, "beat": sa.func.now(), "stop": False, "state": state}
    with storage.engine.begin() as connection:
        connection.execute(sa.insert(LEASES).values(values))


def texts(app) -> str:
    return "\n".join(line.value for line in [*app.markdown, *app.caption])


def test_a_study_that_stands_still_shows_what_it_has_and_what_failed(open_app, storage):
    app = open_app(PAGE)
    assert next(line.value for line in app.subheader) == r"Does \*dropout\* help?"
    assert "**Hypothesis:** A little." in texts(app)
    assert {metric.label: metric.value for metric in app.metric if metric.label == "Failed"} == {"Failed": "1"}
    assert r"- 1 × It \_broke\_ off." in texts(app)
    assert [button.label for button in app.button if button.key == "experiment_go_on"]


def test_a_study_that_another_machine_works_on_is_watched_and_can_be_stopped_but_not_deleted(open_app, storage):
    hold(storage, "asked")
    unit = {"state": "running", "epochs": [{"epoch": 1, "accuracy": 0.5}], "planned": 4, "seed": 0, "fold": 0,
            "setup": {"config": {"dropout": 0.5}}}  # fmt: skip
    Ledger(storage).write("k", "asked", unit)
    app = open_app(PAGE)
    assert "is running] on elsewhere, 8 at a time" in texts(app)
    (curves,) = [chart for chart in app.get("plotly_chart") if "In training now" in chart.proto.spec]
    (line,) = json.loads(curves.proto.spec)["data"]
    assert (line["name"], line["x"], line["y"]) == ("dropout 0.5, seed 0", [1], [50.0])
    assert "Best so far: trial 1 with **95.00%**" in texts(app)
    with pytest.raises(ExperimentError, match="being worked on"):
        delete_study(storage, "asked")
    app.button(key="experiment_stop").click().run()
    assert Lease(storage, "asked").holder().stopping
    assert "is stopping" in texts(app)


def test_a_study_is_deleted_only_when_one_is_sure_and_its_trainings_stay(open_app, storage):
    begin(storage, Study("Another?", STUDY.dimensions, name="other", dataset="digits-8x8"))
    Ledger(storage).write("k", "asked", {"state": "finished", "epochs": []})
    app = open_app(PAGE)
    app.selectbox(key="experiment_study").select("asked").run()
    assert app.button(key="experiment_delete").disabled
    app.checkbox(key="experiment_sure_asked").check().run()
    app.button(key="experiment_delete").click().run()
    assert not app.exception
    assert storage.names() == ["other"]
    assert storage.counts("other").all == 3
    assert list(Ledger(storage).read(["k"])) == ["k"]
    assert app.selectbox(key="experiment_study").value == "other"
    with pytest.raises(ExperimentError, match="no study 'asked'"):
        delete_study(storage, "asked")


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (STUDY.to_json() | {"format": 0}, "is of format 0"),
        ({"format": 1, "objectives": 5, "question": "?", "dimensions": {"dropout": [0.1]}}, "objectives"),
        ("nonsense", "table of settings"),
    ],
    ids=["older format", "damaged", "no record"],
)
def test_a_study_that_cannot_be_read_is_told_and_can_be_deleted(open_app, storage, record, said):
    optuna.load_study(study_name="asked", storage=storage.optuna).set_user_attr(RECORD, record)
    app = open_app(PAGE)
    assert said in " ".join(error.value for error in app.error)
    assert app.button(key="experiment_delete").disabled


def test_a_storage_that_does_not_answer_is_told_and_another_can_be_taken(open_app, storage):
    app = open_app(PAGE)
    address = app.text_input(key="experiment_storage")
    address.input("postgresql+psycopg://nobody:secret@127.0.0.1:1/none").run()
    (error,) = app.error
    assert "does not answer" in error.value
    assert "secret" not in error.value
    app.button(key="experiment_try_again").click().run()
    assert len(app.error) == 1
    app.text_input(key="experiment_storage").input("nothing at all").run()
    assert "no storage's address" in app.error[0].value
    app.text_input(key="experiment_storage").input("").run()
    assert not app.error
    assert app.selectbox(key="experiment_study").value == "asked"
