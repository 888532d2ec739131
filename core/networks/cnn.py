"""`cnn`: the network whose dimensions are free, as experiments need it."""

from torch import Tensor, nn

from core.networks.base import Network, standardise
from core.networks.gabor import gabor_bank
from core.networks.spec import CnnShape, NetworkSpec, plan_cnn

ACTIVATION_LAYERS = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh}


class Cnn(Network):
    """Convolutions (batch norm, activation, max-pool), dropout, dense, activation, second dropout, output."""

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__(spec)
        shape = spec.cnn or CnnShape()
        activation = ACTIVATION_LAYERS[shape.activation]
        plan = plan_cnn(shape, spec.classes)
        self.features = nn.Sequential(*_convolutions(shape), nn.Flatten())
        self.dropout = nn.Dropout(spec.dropout)
        self.dense = nn.Sequential(nn.Linear(plan[-3].size, shape.dense_nodes), activation())
        self.second_dropout = nn.Dropout(shape.second_dropout)
        self.output = nn.Linear(shape.dense_nodes, spec.classes)

    def embed(self, inputs: Tensor) -> Tensor:
        return self.dense(self.dropout(self.features(standardise(inputs))))  # (N, dense_nodes)

    def logits(self, inputs: Tensor) -> Tensor:
        return self.output(self.second_dropout(self.embed(inputs)))  # (N, C)


def _convolutions(shape: CnnShape) -> list[nn.Module]:
    layers: list[nn.Module] = []
    channels = 1
    for i, filters in enumerate(shape.filters_by_layer, 1):
        # batch norm subtracts any bias again
        is_given = i == 1 and shape.first_layer == "gabor"
        layers.append(nn.Conv2d(channels, filters, shape.filter_size, bias=not (shape.batch_norm or is_given)))
        if is_given:
            layers[-1].weight = nn.Parameter(gabor_bank(filters, shape.filter_size), requires_grad=False)
        if shape.batch_norm:
            layers.append(nn.BatchNorm2d(filters))
        layers.append(ACTIVATION_LAYERS[shape.activation]())
        if shape.pools_after(i):
            layers.append(nn.MaxPool2d(shape.pool_size))
        channels = filters
    return layers
