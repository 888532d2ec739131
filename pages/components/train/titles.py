"""What data sets and kinds of networks are called on the pages; light, since torch is far slower to import."""

DESCRIBED = {
    "mnist": "MNIST: digits",
    "fashion-mnist": "Fashion-MNIST: clothes",
    "kmnist": "KMNIST: cursive Japanese",
    "greek24": "Greek 24: small Greek letters",
    "emnist-balanced": "EMNIST: letters and digits",
    "usps": "USPS: digits from envelopes",
    "digits-8x8": "Digits 8×8: small and quick",
    "strokes-digits": "Stroke digits: generated",
    "strokes-greek": "Stroke Greek: generated letters",
}
NETWORKS = {
    "report": "report: the course's small network",
    "report-dropout2d": "report-dropout2d: it drops whole maps",
    "keras": "keras: two convolutions, dense 128",
    "mlp": "mlp: dense layers only",
    "cnn": "cnn: every dimension is yours",
    "gabor": "gabor: a fixed first layer",
    "vit": "vit: a small vision transformer",
    "digits": "digits: the robust reader",
    "residual": "residual: for pictures of things",
}


def dataset_title(dataset: str) -> str:
    """How a data set is called on the page: uploads by their file's name."""
    kind, colon, path = dataset.partition(":")
    return DESCRIBED.get(dataset) or (f"{path.rsplit('/', 1)[-1]} ({kind})" if colon else dataset)
