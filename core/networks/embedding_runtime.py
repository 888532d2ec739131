"""A network's embeddings beside its logits from ONNX Runtime, without torch and without another export.

An ONNX file is a protobuf message, and two such messages written one after the other are read as one with the fields
of both (protobuf's documentation, "Last One Wins / merging"). So a second output is declared by a few bytes behind the
file: the tensor that the output layer takes.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from core.errors import NetworkError
from core.networks.runtime import export_onnx, open_session, session_of
from core.networks.store import TrainedNetwork

if TYPE_CHECKING:
    import onnxruntime

# Field numbers of onnx.proto, and the operators that a dense layer is exported as.
GRAPH, NODE, OUTPUT, NAME = 7, 1, 12, 1
NODE_INPUT, NODE_OUTPUT, OPERATOR = 1, 2, 4
DENSE, SUM = ("Gemm", "MatMul"), "Add"


def open_embedding_session(network: TrainedNetwork) -> "onnxruntime.InferenceSession":
    """A session of one thread whose outputs are the logits `(N, C)` and the embeddings `(N, D)`, float32.

    Raises `NetworkError` when weights and passport do not belong together, or the network ends in no dense layer.
    """
    open_session(network)  # checks that the files are the passport's
    try:
        model = network.runtime_file.read_bytes()
        return session_of(with_embedding(model))
    except OSError:
        return session_of(with_embedding(export_onnx(network.module(), network.passport.weights_sha256)))


def with_embedding(model: bytes) -> bytes:
    """The model with what its output layer takes as a second output."""
    made_by = {}
    for number, node in _fields(_first(model, GRAPH)):
        if number == NODE and isinstance(node, bytes):
            parts = [(n, v.decode("utf-8", "replace")) for n, v in _fields(node) if isinstance(v, bytes)]
            inputs = [value for n, value in parts if n == NODE_INPUT]
            operator = next((value for n, value in parts if n == OPERATOR), "")
            made_by.update({value: (operator, inputs) for n, value in parts if n == NODE_OUTPUT})
    operator, inputs = made_by.get("logits", ("", []))
    if operator == SUM:  # a matrix product and, apart from it, its bias
        operator, inputs = next((made_by[name] for name in inputs if name in made_by), ("", []))
    if operator not in DENSE or not inputs:
        raise NetworkError("The network's last operation is no dense layer, so it has no embedding to teach by.")
    return model + _bytes_field(GRAPH, _bytes_field(OUTPUT, _bytes_field(NAME, inputs[0].encode())))


def _first(message: bytes, wanted: int) -> bytes:
    return next((value for number, value in _fields(message) if number == wanted and isinstance(value, bytes)), b"")


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of each field, as protobuf's wire format has them."""
    at = 0
    while at < len(message):
        key, at = _number(message, at)
        kind = key & 7
        if kind == 0:
            value, at = _number(message, at)
            yield key >> 3, value
            continue
        size, at = _number(message, at) if kind == 2 else ({1: 8, 5: 4}[kind], at)
        yield key >> 3, message[at : at + size]
        at += size


def _number(message: bytes, at: int) -> tuple[int, int]:
    """The variable-length number that begins at a place, and the place behind it."""
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def _bytes_field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])
