"""Studies and their files: what is accepted means what it says, what lies is refused with field and remedy."""

import time

import pytest

from core.errors import ExperimentError
from core.experiments.dimensions import DIMENSIONS, checked_value
from core.experiments.study import Range, Study
from core.experiments.study_file import as_name, parse_study, read_study, toml_of

GOOD = 'question = "Does it help?"\ndataset = "digits-8x8"\n'


def study(**changes):
    return Study(**{"question": "Why?", "dataset": "digits-8x8", "dimensions": {"dropout": (0.1, 0.3)}} | changes)


def test_a_file_is_read_as_it_is_written():
    text = (
        GOOD + 'hypothesis = "Yes."\nstrategy = "tpe"\nobjectives = ["accuracy", "seconds"]\nepochs = 2\ntrials = 7\n'
        "final_epochs = 9\n[dimensions]\nfilters = [8, [8, 16]]\nlearning_rate = {low = 0.01, high = 0.3, log = true}\n"
        "batch_norm = [true, false]\n"
    )
    found = parse_study(text.encode(), "My Étude (2).v1")
    assert found.name == "my-etude-2-v1"
    assert found.dimensions == {
        "filters": (8, (8, 16)), "learning_rate": Range(0.01, 0.3, True), "batch_norm": (True, False)
    }  # fmt: skip
    assert (found.settings, found.trials, found.final_epochs) == ({"epochs": 2}, 7, 9)
    assert found.objectives == ("accuracy", "seconds")
    assert parse_study(toml_of(found).encode(), "other") == found
    assert Study.from_json(found.to_json()) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("question = ", "no TOML file: Invalid value"),
        ("\xff", "question|TOML"),
        ("a = [" + "[" * 5000, "no TOML file"),
        ("[dimensions]\ndropout = [0.1]\n", 'needs its question = "…"'),
        (GOOD, r"needs \[dimensions\]"),
        (GOOD + "dimensions = 3\n", r"needs \[dimensions\]"),
        (GOOD + "[dimensions]\n", r"needs \[dimensions\]"),
        (GOOD + "[dimensions]\ndropuot = [0.1]\n", "Unknown dimension 'dropuot'; choose among: conv_layers"),
        (GOOD + "colour = 3\n[dimensions]\ndropout = [0.1]\n", "Unknown: colour"),
        (GOOD + "[dimensions]\ndropout = []\n", "dropout needs a list of 1 to 200 values to try, not 0 values"),
        (GOOD + "[dimensions]\ndropout = 0.3\n", "dropout needs a list of 1 to 200 values to try, not 0.3"),
        (GOOD + "[dimensions]\ndropout = [0.1, 0.1]\n", "dropout names a value twice: 0.1, 0.1"),
        (GOOD + "[dimensions]\nfilters = [8, [8]]\n", "filters names a value twice"),
        (GOOD + "[dimensions]\nlearning_rate = [-0.1]\n", "learning_rate must be a number above 0, not -0.1"),
        (GOOD + "learning_rate = -1\n[dimensions]\ndropout = [0.1]\n", "learning_rate must be a number above 0"),
        (GOOD + "[dimensions]\nlearning_rate = {low = -1, high = 1}\n", "learning_rate must be a number above 0"),
        (GOOD + "[dimensions]\nlearning_rate = {low = 1, high = 0.1}\n", "low below high; 1 and 0.1 came"),
        (GOOD + "[dimensions]\nlearning_rate = {low = 0.1}\n", "The range of learning_rate is"),
        (GOOD + "[dimensions]\nlearning_rate = {low = 0.1, high = [1]}\n", "low below high"),
        (GOOD + "[dimensions]\nepochs = [1.5]\n", "epochs takes a whole number, not 1.5"),
        (GOOD + "[dimensions]\nepochs = [true]\n", "epochs takes a whole number, not True"),
        (GOOD + "[dimensions]\nepochs = [1000000000]\n", "epochs may be 1,000 at most"),
        (GOOD + "[dimensions]\ndropout = [nan]\n", "dropout takes a number, not nan"),
        (GOOD + "[dimensions]\ndropout = [2]\n", "dropout must be from 0 up to, not including, 1"),
        (GOOD + "[dimensions]\nfilters = [[[8]]]\n", "filters takes a whole number"),
        (GOOD + "[dimensions]\nfilters = [0]\n", "filters must be a whole number from 1 to 512"),
        (GOOD + "[dimensions]\nfilters = {low = 1, high = 8}\n", "filters takes a list of values, not a range"),
        (GOOD + "[dimensions]\nsamples = [3]\n", "samples must be at least 10"),
        (GOOD + '[dimensions]\nnetwork = ["cnn", "gpt"]\n', "Unknown network 'gpt'; choose one of: report"),
        (GOOD + 'network = ["cnn"]\n[dimensions]\ndropout = [0.1]\n', "network takes a word"),
        (GOOD + "[dimensions]\ndropout = [2026-01-01]\n", "dropout takes a number"),
        (GOOD + "epochs = 3\n[dimensions]\nepochs = [1, 2]\n", "epochs stands among the fixed settings and"),
        (GOOD + 'schedule = "one-cycle"\n[dimensions]\nepochs = [1, 2]\n', 'needs schedule = "constant"'),
        (GOOD + '[dimensions]\nepochs = [1, 2]\nschedule = ["one-cycle", "constant"]\n', 'schedule = "constant"'),
        (GOOD + 'pruning = "median"\n[dimensions]\nepochs = [1, 2]\n', "which pruning would cut"),
        (GOOD + 'pruning = "median"\nobjectives = ["seconds"]\n[dimensions]\ndropout = [0.1]\n', "by their accuracy"),
        (GOOD + 'objectives = ["parameters"]\n[dimensions]\ndropout = [0.1]\n', "one or two of: accuracy, seconds"),
        (GOOD + 'objectives = "accuracy"\n[dimensions]\ndropout = [0.1]\n', "objectives are a list"),
        (GOOD + "objectives = [[]]\n[dimensions]\ndropout = [0.1]\n", "objectives are a list"),
        (GOOD + 'strategy = "genetic"\n[dimensions]\ndropout = [0.1]\n', "strategy must be one of grid"),
        (GOOD + "strategy = []\n[dimensions]\ndropout = [0.1]\n", "strategy must be one of grid"),
        (GOOD + "[dimensions]\ndropout = {low = 0.1, high = 0.5}\n", "grid needs a list of values for dropout"),
        (GOOD + "seeds = 0\n[dimensions]\ndropout = [0.1]\n", "seeds must be a whole number from 1 to 100"),
        (GOOD + f"seeds = {'9' * 4000}\n[dimensions]\ndropout = [0.1]\n", "a number of more than 80 digits"),
        (GOOD + "folds = 1\n[dimensions]\ndropout = [0.1]\n", "folds must be 0"),
        (GOOD + "minutes = inf\n[dimensions]\ndropout = [0.1]\n", "minutes must be a number above 0"),
        (GOOD + "format = 2\n[dimensions]\ndropout = [0.1]\n", "format 2; this version of Inkling knows format 1"),
        (GOOD + 'source = "digits"\n[dimensions]\nmethod = ["head"]\n', "cross-validation; set folds = 3"),
        ('question = "?"\ndataset = "imagenet"\n[dimensions]\ndropout = [0.1]\n', "Unknown data set 'imagenet'"),
        ('question = "?"\ndataset = 3\n[dimensions]\ndropout = [0.1]\n', "dataset is a data set's name"),
    ],
)
def test_a_file_that_lies_is_refused_with_the_field(text, said):
    with pytest.raises(ExperimentError, match=said) as refusal:
        parse_study(text.encode("latin-1"))
    assert len(str(refusal.value)) < 1200


def test_a_huge_file_and_a_billion_combinations_are_refused_at_once(tmp_path):
    with pytest.raises(ExperimentError, match="up to 100,000 bytes, not 100,001"):
        parse_study(b"#" * 100_001)
    names = ("dropout", "second_dropout", "momentum", "averaging")
    many = {name: tuple(i / 200 for i in range(200)) for name in names}
    with pytest.raises(ExperimentError, match="1,600,000,000 combinations; 10,000 is the most"):
        study(dimensions=many)
    linear = study(dimensions=many, strategy="one-at-a-time")
    assert linear.count().looked_at == 2000
    with pytest.raises(ExperimentError, match=r"There is no preset 'nothing'; choose a .toml file, or one of: batch"):
        read_study("nothing")
    with pytest.raises(ExperimentError, match="cannot be read"):
        read_study(str(tmp_path))


def test_ten_thousand_combinations_are_counted_as_each_by_itself():
    wide = study(
        dimensions={
            "conv_layers": (1, 2, 3, 4, 5), "filters": (8, 16, 32, (8, 16)), "dropout": tuple(i / 10 for i in range(9)),
            "batch_size": tuple(range(10, 65)),
        }
    )  # fmt: skip
    began = time.process_time()
    count = wide.count()
    assert time.process_time() - began < 10  # 0.4 s on a quiet core
    # four convolutions or more leave no pixel; a list of two filters needs two layers
    assert count.possible == 9900 - 2 * 4 * 9 * 55 - 9 * 55
    assert count.looked_at == 9900
    assert [number for number, _ in count.impossible] == [3960, 495]
    assert "conv 4 would leave no pixels" in count.impossible[0][1]


def test_dimensions_of_one_network_are_impossible_for_the_others():
    both = study(dimensions={"network": ("report", "cnn", "mlp"), "filters": (8, 16), "dropout": (0.1,)})
    count = both.count()
    assert count.possible == 2
    assert count.impossible == (
        (2, "filters: only the network 'cnn' has this dimension, not 'report'."),
        (2, "filters: only the network 'cnn' has this dimension, not 'mlp'."),
    )
    assert (
        study(dataset="heart:x.csv", dimensions={"network": ("cnn", "heart-11-10-1", "decision-tree")}).count()[0] == 2
    )


def test_gabor_filters_as_a_first_layer_need_three_pixels():
    found = study(dimensions={"first_layer": ("learned", "gabor"), "filter_size": (2, 3)})
    assert [reason for _, reason in found.count().impossible] == [
        "Gabor filters need a filter_size of 3 or more, not 2."
    ]
    setup = found.setup({"first_layer": "gabor", "filter_size": 3})
    assert setup.config.cnn.first_layer == "gabor"


def test_every_dimension_takes_the_values_it_begins_with():
    for name, dimension in DIMENSIONS.items():
        assert [checked_value(name, value) for value in dimension.values] == list(dimension.values)


def test_names_are_made_of_what_people_type():
    assert [as_name(text) for text in ("Does dropout help?", "—", "x" * 99)] == ["does-dropout-help", "study", "x" * 60]
