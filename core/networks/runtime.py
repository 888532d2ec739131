"""Fast inference: the network as ONNX, answered by ONNX Runtime on one thread.

On two cores it answers 5 glyphs about twice as fast as eager torch, and reading a picture does not have to import
torch at all. The ONNX file is derived from the weights: it carries their hash, and the passport carries its own. A
file that does not fit both is not opened; the model is derived anew from the weights instead, so that deleting or
exchanging it can cost time but never change an answer.
"""

import hashlib
from typing import TYPE_CHECKING

from core.errors import NetworkError

if TYPE_CHECKING:
    import onnxruntime
    import torch

    from core.networks.base import Network
    from core.networks.store import TrainedNetwork

WEIGHTS_KEY = "weights_sha256"


def export_onnx(network: "Network", weights_sha256: str, **about: str) -> bytes:
    """The network's `logits` (N, C) as an ONNX model; its input is `glyphs` (N, 1, 28, 28) or `features` (N, F).

    `about` is what else the model's metadata say of it.
    """
    import copy

    import torch

    class Logits(torch.nn.Module):
        def __init__(self, inner: "Network") -> None:
            super().__init__()
            self.inner = inner

        def forward(self, inputs: "torch.Tensor") -> "torch.Tensor":
            return self.inner.logits(inputs)

    program = torch.onnx.export(
        Logits(copy.deepcopy(network).cpu().to(memory_format=torch.contiguous_format)).eval(),
        (network.example(),),
        input_names=[network.INPUT_NAME],
        output_names=["logits"],
        dynamic_shapes=({0: torch.export.Dim("n")},),
        dynamo=True,
        verbose=False,
    )
    assert program is not None  # None comes from the older exporter only (dynamo=False)
    model = program.model_proto
    for node in model.graph.node:
        del node.metadata_props[:]  # the exporter's stack traces: paths of the machine that it ran on
    for key, value in {WEIGHTS_KEY: weights_sha256, **about}.items():
        model.metadata_props.add(key=key, value=value)
    return model.SerializeToString()


def open_session(network: "TrainedNetwork") -> "onnxruntime.InferenceSession":
    """A session for the network, from the ONNX file beside its weights where that is provably theirs.

    Raises `NetworkError` when weights and passport do not belong together.
    """
    network.read_weights()  # the answers are these weights': exchanged ones must be noticed even where ONNX answers
    session = _stored_session(network) or session_of(export_onnx(network.module(), network.passport.weights_sha256))
    outputs, classes = session.get_outputs()[0].shape[-1], len(network.passport.classes)
    if outputs != classes:
        raise NetworkError(
            f"{network.folder} has a network with {outputs} outputs for {classes} classes; train it anew."
        )
    return session


def _stored_session(network: "TrainedNetwork") -> "onnxruntime.InferenceSession | None":
    try:
        model = network.runtime_file.read_bytes()
    except OSError:
        return None
    if hashlib.sha256(model).hexdigest() != network.passport.runtime_sha256:
        return None
    session = session_of(model)
    weights_sha256 = session.get_modelmeta().custom_metadata_map.get(WEIGHTS_KEY)
    return session if weights_sha256 == network.passport.weights_sha256 else None


def session_of(model: bytes) -> "onnxruntime.InferenceSession":
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # a batch of a few glyphs is too small to share; the other core is the camera's
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
