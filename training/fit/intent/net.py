"""The networks in torch: one way in, three cores, several heads, learned by gradient descent.

    x = sum of table rows + numbers · A + prior · B        h = core(x), causal
    log-odds of each head = ReLU([h, x] · C) · D

LSTM (Hochreiter and Schmidhuber, 1997), GRU (Cho and others, 2014), or a small transformer whose
attention falls off with distance (Press and others, 2022) and sees WINDOW events. The only
module here that imports torch. Knows nothing of sessions, splits or when to stop.
"""

import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from models.intent.network import INPUTS, OUTPUT

WINDOW = 64
"""Events that the transformer's attention sees, the present one included."""


@dataclass(frozen=True)
class Shape:
    """What a network is made of. core: lstm, gru or transformer. rows: of the table. numbers,
    prior: how many an event and a session have. width: of x and h. layers: of the transformer.
    heads: that learn from different draws of the sessions. dropout: of x and h."""

    core: str
    rows: int
    numbers: int
    prior: int
    width: int = 32
    layers: int = 1
    heads: int = 4
    dropout: float = 0.1


class Batch(NamedTuple):
    """b sessions padded at the end to t events. codes: int64[b, t, fields]. numbers:
    float32[b, t, d]. prior: float32[b, p]. y: float32[b, t]. weight: float32[b, t, heads], 0 where
    there is nothing to learn from."""

    codes: npt.NDArray[np.int64]
    numbers: npt.NDArray[np.float32]
    prior: npt.NDArray[np.float32]
    y: npt.NDArray[np.float32]
    weight: npt.NDArray[np.float32]


class Attention(nn.Module):
    """Causal attention, then a feed-forward layer, norms first (Xiong and others, 2020)."""

    slope: Tensor

    def __init__(self, width: int, dropout: float, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.project, self.join = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.feed = nn.Sequential(
            nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width)
        )
        self.drop = nn.Dropout(dropout)
        self.register_buffer("slope", torch.tensor([0.5 ** (2 * k + 1) for k in range(heads)]))

    def forward(self, x: Tensor, distance: Tensor) -> Tensor:
        """Answer [b, t, width]; distance: [t, t], events back, as a float."""
        b, t, width = x.shape
        parts = self.project(self.before(x)).view(b, t, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4).unbind(0)
        unseen = (distance < 0) | (distance >= WINDOW)
        bias = -self.slope.view(-1, 1, 1) * distance
        weight = query @ key.transpose(-1, -2) * (width // self.heads) ** -0.5 + bias
        mixed = weight.masked_fill(unseen, -1e9).softmax(-1) @ value
        x = x + self.drop(self.join(mixed.transpose(1, 2).reshape(b, t, width)))
        return x + self.drop(self.feed(self.between(x)))


class Transformer(nn.Module):
    """Blocks of attention over the same distances."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        blocks = [Attention(shape.width, shape.dropout) for _ in range(shape.layers)]
        self.blocks = nn.ModuleList(blocks)

    def forward(self, x: Tensor) -> tuple[Tensor, None]:
        """Answer ([b, t, width], None), as a recurrent core does."""
        place = torch.arange(x.shape[1], device=x.device).to(x.dtype)
        distance = place.unsqueeze(1) - place.unsqueeze(0)
        for block in self.blocks:
            x = block(x, distance)
        return x, None


CORES = {
    "lstm": lambda shape: nn.LSTM(shape.width, shape.width, batch_first=True),
    "gru": lambda shape: nn.GRU(shape.width, shape.width, batch_first=True),
    "transformer": Transformer,
}
"""Core → how it is made of a shape; each answers (float[b, t, width], whatever)."""


class Net(nn.Module):
    """See the module."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.table = nn.Embedding(shape.rows, shape.width)
        nn.init.normal_(self.table.weight, std=0.01)
        self.number = nn.Linear(shape.numbers, shape.width)
        self.prior = nn.Linear(shape.prior, shape.width, bias=False)
        self.core = CORES[shape.core](shape)
        self.drop = nn.Dropout(shape.dropout)
        self.mix = nn.Linear(2 * shape.width, shape.width)
        self.head = nn.Linear(shape.width, shape.heads)

    def forward(self, codes: Tensor, numbers: Tensor, prior: Tensor, keep: Tensor) -> Tensor:
        """Answer log-odds [b, len(keep), heads] at the places `keep`."""
        x = self.table(codes).sum(2) + self.number(numbers) + self.prior(prior).unsqueeze(1)
        x = self.drop(torch.tanh(x))
        h, _ = self.core(x)
        both = torch.cat([self.drop(h), x], -1).index_select(1, keep)
        return self.head(self.drop(torch.relu(self.mix(both))))


class Learner:
    """A network and its optimiser (AdamW; Loshchilov and Hutter, 2019), the same by seed.

    rate: of learning. decay: of weights; the table's, ten times that.
    """

    def __init__(
        self,
        shape: Shape,
        *,
        seed: int = 0,
        rate: float = 3e-3,
        decay: float = 1e-2,
        threads: int = 1,
    ) -> None:
        torch.set_num_threads(threads)
        # An own stream of random numbers: what else the process draws must not matter.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.net = Net(shape)
            self._random = torch.get_rng_state()
        table = [self.net.table.weight]
        others = [p for name, p in self.net.named_parameters() if name != "table.weight"]
        groups = [{"params": table, "weight_decay": 10 * decay}, {"params": others}]
        self._optimiser = torch.optim.AdamW(groups, lr=rate, weight_decay=decay)

    def learn(self, batch: Batch, rate: float | None = None) -> float:
        """Take one step down the weighted mean log-loss; answer it. rate: from now on."""
        if rate is not None:
            for group in self._optimiser.param_groups:
                group["lr"] = rate
        self.net.train()
        with torch.random.fork_rng(devices=[]):
            torch.set_rng_state(self._random)
            odds = self._odds(batch.codes, batch.numbers, batch.prior)
            self._random = torch.get_rng_state()
        y = torch.from_numpy(batch.y).unsqueeze(-1).expand_as(odds)
        weight = torch.from_numpy(batch.weight)
        each = nn.functional.binary_cross_entropy_with_logits(odds, y, reduction="none")
        loss = (each * weight).sum() / weight.sum().clamp(min=1e-6)
        self._optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self._optimiser.step()
        return float(loss.detach())

    @property
    def widths(self) -> tuple[int, int, int]:
        """Answer how many rows the table, and how many numbers an event and a session have."""
        net = self.net
        return net.table.num_embeddings, net.number.in_features, net.prior.in_features

    def _odds(self, codes: Any, numbers: Any, prior: Any) -> Tensor:
        parts = [torch.from_numpy(np.ascontiguousarray(one)) for one in (codes, numbers, prior)]
        return self.net(*parts, torch.arange(parts[0].shape[1]))

    def log_odds(
        self,
        codes: npt.NDArray[np.int64],
        numbers: npt.NDArray[np.float32],
        prior: npt.NDArray[np.float32],
    ) -> npt.NDArray[np.float32]:
        """Answer float32[b, t, heads] for padded sessions, without dropout."""
        self.net.eval()
        with torch.inference_mode():
            return self._odds(codes, numbers, prior).numpy()

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Answer a copy of every weight by name."""
        return {name: one.numpy().copy() for name, one in self.net.state_dict().items()}

    def restore(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take weights as `state` answered them."""
        self.net.load_state_dict({name: torch.from_numpy(one) for name, one in state.items()})

    def to_onnx(self, fields: int) -> bytes:
        """Answer the network as ONNX, inputs INPUTS, output log_odds, any batch and length.

        Raises torch.onnx.OnnxExporterError when a core has no counterpart in ONNX.
        """
        self.net.eval()
        _, numbers, prior = self.widths
        example = (
            torch.zeros(1, 3, fields, dtype=torch.long),
            torch.zeros(1, 3, numbers),
            torch.zeros(1, prior),
            torch.arange(3),
        )
        sessions_events = {0: "sessions", 1: "events"}
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            # The tracing exporter: it keeps an LSTM one operator of any length, takes 0.1 s where
            # its successor takes 8, and says of itself that there is a successor.
            warnings.simplefilter("ignore", DeprecationWarning)
            warnings.filterwarnings("ignore", "Exporting a model to ONNX with a batch_size")
            # Its checks of widths become constants; nothing else is decided while it traces.
            warnings.filterwarnings("ignore", "Converting a tensor to a Python boolean")
            path = Path(folder) / "network.onnx"
            torch.onnx.export(
                self.net,
                example,
                path,
                dynamo=False,
                opset_version=17,
                input_names=list(INPUTS),
                output_names=[OUTPUT],
                dynamic_axes={
                    "codes": sessions_events,
                    "numbers": sessions_events,
                    "prior": {0: "sessions"},
                    "keep": {0: "kept"},
                    OUTPUT: {0: "sessions", 1: "kept"},
                },
            )
            return path.read_bytes()
