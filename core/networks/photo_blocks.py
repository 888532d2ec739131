"""torchvision's blocks without what writes over its own input, so that every step can be hooked, kept and compared.

Captum's and torch's hooks cannot follow `out += identity`, nor an activation that stands at several places at once.
The forwards are torchvision 0.29's with these two things changed; the weights keep their names, and a test compares
what comes out.
"""

from torch import Tensor, nn
from torchvision.models import convnext, densenet, efficientnet, mobilenetv3, resnet
from torchvision.models.googlenet import BasicConv2d as TheirGoogLeNetConv2d
from torchvision.models.inception import BasicConv2d as TheirInceptionConv2d
from torchvision.ops import StochasticDepth


class BasicBlock(resnet.BasicBlock):
    def forward(self, x: Tensor) -> Tensor:
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        return self.relu_out(out + (x if self.downsample is None else self.downsample(x)))


class Bottleneck(resnet.Bottleneck):
    def forward(self, x: Tensor) -> Tensor:
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu_mid(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        return self.relu_out(out + (x if self.downsample is None else self.downsample(x)))


class InvertedResidual(mobilenetv3.InvertedResidual):
    def forward(self, input: Tensor) -> Tensor:
        return self.block(input) + input if self.use_res_connect else self.block(input)


class MBConv(efficientnet.MBConv):
    forward = InvertedResidual.forward


class FusedMBConv(efficientnet.FusedMBConv):
    forward = InvertedResidual.forward


class CNBlock(convnext.CNBlock):
    def forward(self, input: Tensor) -> Tensor:
        return self.layer_scale * self.block(input) + input


class GoogLeNetConv2d(TheirGoogLeNetConv2d):
    drawn_as = "basicconv2d"

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(self.bn(self.conv(x)))


class InceptionConv2d(TheirInceptionConv2d):
    drawn_as = "basicconv2d"
    forward = GoogLeNetConv2d.forward


class DenseNet(densenet.DenseNet):
    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.features(x))
        return self.classifier(nn.functional.adaptive_avg_pool2d(x, (1, 1)).flatten(1))


# torchvision's class → ours, and the activations that it needs of its own.
REPLACED: dict[type[nn.Module], tuple[type[nn.Module], tuple[str, ...]]] = {
    resnet.BasicBlock: (BasicBlock, ("relu_out",)),
    resnet.Bottleneck: (Bottleneck, ("relu_mid", "relu_out")),
    mobilenetv3.InvertedResidual: (InvertedResidual, ()),
    efficientnet.MBConv: (MBConv, ()),
    efficientnet.FusedMBConv: (FusedMBConv, ()),
    convnext.CNBlock: (CNBlock, ()),
    TheirGoogLeNetConv2d: (GoogLeNetConv2d, ("relu",)),
    TheirInceptionConv2d: (InceptionConv2d, ("relu",)),
    densenet.DenseNet: (DenseNet, ("relu",)),
}


def without_in_place(module: nn.Module) -> nn.Module:
    """The same module, changed: in eval mode, and nothing in it writes over its input."""
    for part in list(module.modules()):
        if getattr(part, "inplace", False):
            part.inplace = False  # type: ignore[assignment]
        if type(part) in REPLACED:
            part.__class__, activations = REPLACED[type(part)]
            for name in activations:
                setattr(part, name, nn.ReLU())
        for name, child in part.named_children():
            if isinstance(child, StochasticDepth):  # does nothing outside of training
                setattr(part, name, nn.Identity())
    return module.eval()
