"""`vit`: a small vision transformer (Dosovitskiy et al. 2021), for comparison with convolutions."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.networks.base import Network, standardise
from core.networks.spec import NetworkSpec

PATCH = 4  # pixels: 7×7 patches, 49 tokens
WIDTH = 64
HEADS = 4
DEPTH = 4
HIDDEN = 128


class Patches(nn.Module):
    """Cuts a glyph into patches and makes each a token that knows its place."""

    drawn_as = f"patches {PATCH}×{PATCH}, + position"

    def __init__(self) -> None:
        super().__init__()
        self.project = nn.Conv2d(1, WIDTH, kernel_size=PATCH, stride=PATCH)
        self.position = nn.Parameter(nn.init.trunc_normal_(torch.empty((28 // PATCH) ** 2, WIDTH), std=0.02))

    def forward(self, glyphs: Tensor) -> Tensor:
        return self.project(glyphs).flatten(2).transpose(1, 2) + self.position  # (N, 49, 64)


class Attention(nn.Module):
    """Each token gathers from all tokens, by `HEADS` different measures of what concerns it."""

    def __init__(self) -> None:
        super().__init__()
        self.query_key_value = nn.Linear(WIDTH, 3 * WIDTH)
        self.output = nn.Linear(WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        heads = self.query_key_value(x).unflatten(2, (3, HEADS, WIDTH // HEADS))  # (N, 49, 3, 4, 16)
        query, key, value = heads.permute(2, 0, 3, 1, 4).unbind(0)  # each (N, 4, 49, 16)
        gathered = F.scaled_dot_product_attention(query, key, value)
        return self.output(gathered.transpose(1, 2).flatten(2))  # (N, 49, 64)


class Block(nn.Module):
    """Attention, then two dense layers for each token by itself; both add to what was there."""

    drawn_as = f"transformer block: attention with {HEADS} heads, dense {HIDDEN}"

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(WIDTH)
        self.attention = Attention()
        self.norm2 = nn.LayerNorm(WIDTH)
        self.dense = nn.Sequential(nn.Linear(WIDTH, HIDDEN), nn.GELU(), nn.Linear(HIDDEN, WIDTH))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.dropout(self.attention(self.norm1(x)))
        return x + self.dropout(self.dense(self.norm2(x)))  # (N, 49, 64)


class Vit(Network):
    """49 tokens of 64 numbers through four transformer blocks; their mean is the embedding (138,890 parameters)."""

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__(spec)
        self.patches = Patches()
        self.blocks = nn.Sequential(*(Block(spec.dropout) for _ in range(DEPTH)))
        self.norm = nn.LayerNorm(WIDTH)
        self.dropout = nn.Dropout(spec.dropout)
        self.output = nn.Linear(WIDTH, spec.classes)

    def embed(self, inputs: Tensor) -> Tensor:
        tokens = self.norm(self.blocks(self.patches(standardise(inputs))))  # (N, 49, 64)
        return tokens.mean(dim=1)  # (N, 64)

    def logits(self, inputs: Tensor) -> Tensor:
        return self.output(self.dropout(self.embed(inputs)))  # (N, C)
