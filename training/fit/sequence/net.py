"""The sequence transformer in torch: one causal block, learned by softmax over drawn items.

The network of models.recommend.attention, at every place of many windows at once. The loss is
-log(e^s / (e^s + sum e^(s_i) / pi_i)) over items i drawn once for the batch, pi_i the chance that
i is drawn (Jean and others, 2015): the sum is right in the mean. Chosen items do not compete with
themselves, nor, if asked, do items the history has already. The only module here that imports
torch. Knows nothing of users, splits or when to stop.
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

from models.recommend.attention import EPSILON, Dims
from training.fit.sequence.traits import Bags
from training.fit.sequence.windows import Batch

I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]
INPUTS = ("vectors", "gaps", "kinds", "ages")
OUTPUT = "vector"
_BELOW = -1e9


@dataclass(frozen=True)
class Shape:
    """What a network is made of: see Dims; dropout: of what goes in and of what is added."""

    dims: Dims
    items: int
    traits: int = 0
    dropout: float = 0.25
    slope: float = 0.1


class Drawn(NamedTuple):
    """Items that compete. items: int64[c], distinct. logs: float32[c], the logarithm of each one's
    chance to be drawn. rows, columns: int64[k], asked places and drawn items that do not count."""

    items: I64
    logs: F32
    rows: I64
    columns: I64


class _Softmax(torch.autograd.Function):
    """The loss, its one large matrix made once and kept: the softmax is the gradient."""

    @staticmethod
    def forward(ctx: Any, *given: Tensor) -> Tensor:
        """Answer the mean loss of x: [m, d], items: [c, d], own: [m, d], logs: [c], and pairs."""
        x, items, own, logs, rows, columns = given
        score = (x * own).sum(-1)
        others = torch.addmm(-logs.unsqueeze(0), x, items.T)
        others[rows, columns] = _BELOW
        top = torch.maximum(others.amax(-1), score)
        others.sub_(top.unsqueeze(1)).exp_()
        mine = (score - top).exp()
        whole = others.sum(-1) + mine
        others.div_((whole * len(x)).unsqueeze(1))
        ctx.save_for_backward(x, items, own, others, (mine / whole - 1) / len(x))
        return (whole.log() + top - score).mean()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        """Answer the gradients of x, items and own."""
        x, items, own, others, mine = ctx.saved_tensors
        mine = mine.unsqueeze(1) * grads[0]
        toward = (others @ items) * grads[0] + mine * own
        return toward, (others.T @ x) * grads[0], mine * x, None, None, None


class Net(nn.Module):
    """See the module. Names of parts are those of models.recommend.attention."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        dims = self.dims = shape.dims
        d = dims.width
        self.table = nn.Embedding(shape.items, d)
        nn.init.normal_(self.table.weight, std=0.3 * d**-0.5)
        self.traits = nn.EmbeddingBag(shape.traits, d, mode="mean") if shape.traits else None
        self.gap, self.kind = nn.Embedding(dims.ages, d), nn.Embedding(dims.kinds, d)
        # A class of time or a kind that is never met must say nothing.
        for one in (self.gap, self.kind, self.traits):
            if one is not None:
                nn.init.zeros_(one.weight)
        self.norm_in, self.norm_mid, self.norm_out = (
            nn.LayerNorm(d, eps=EPSILON) for _ in range(3)
        )
        self.query, self.value, self.join = nn.Linear(d, d), nn.Linear(d, d), nn.Linear(d, d)
        # A shift of every key would add the same to each score: softmax does not see it.
        self.key = nn.Linear(d, d, bias=False)
        self.up, self.down = nn.Linear(d, dims.inner), nn.Linear(dims.inner, d)
        self.age = nn.Parameter(torch.zeros(dims.heads, dims.ages))
        slopes = shape.slope * 4.0 ** torch.arange(dims.heads).unsqueeze(1)
        self.back = nn.Parameter(-slopes * torch.arange(dims.reach))
        self.drop = nn.Dropout(shape.dropout)

    def heads(self, x: Tensor) -> Tensor:
        """Answer [b, heads, t, width / heads] of [b, t, width]."""
        return x.unflatten(-1, (self.dims.heads, -1)).transpose(1, 2)

    def read(self, vectors: Tensor, gaps: Tensor, kinds: Tensor) -> Tensor:
        """Answer x: [b, t, width]."""
        return self.drop(vectors + self.gap(gaps) + self.kind(kinds))

    def mix(self, y: Tensor, asking: Tensor, bias: Tensor) -> Tensor:
        """Answer [b, q, width]: what [b, q, width] asking places take from all of y."""
        scale = (self.dims.width // self.dims.heads) ** -0.5
        scores = self.heads(self.query(asking)) @ self.heads(self.key(y)).transpose(-1, -2) * scale
        mixed = (scores + bias).softmax(-1) @ self.heads(self.value(y))
        return self.join(mixed.transpose(1, 2).flatten(2))

    def feed(self, z: Tensor) -> Tensor:
        """Answer the feed-forward layer and the last norm."""
        wide = torch.relu(self.up(self.norm_mid(z)))
        return self.norm_out(z + self.drop(self.down(wide)))

    def forward(self, vectors: Tensor, gaps: Tensor, kinds: Tensor, ages: Tensor | None) -> Tensor:
        """Answer [b, t, width], what every place asks for; ages: [b, t, t] or None."""
        x = self.read(vectors, gaps, kinds)
        steps = torch.arange(x.shape[1])
        behind = steps.unsqueeze(1) - steps
        bias = self.back[:, behind.clamp(0, self.dims.reach - 1)].masked_fill(behind < 0, _BELOW)
        if ages is not None:
            bias = bias + self.age[:, ages].transpose(0, 1)
        y = self.norm_in(x)
        return self.feed(x + self.drop(self.mix(y, y, bias)))


class Last(nn.Module):
    """The same network at the last place only, as it is served and exported."""

    def __init__(self, net: Net) -> None:
        super().__init__()
        self.net = net

    def forward(self, vectors: Tensor, gaps: Tensor, kinds: Tensor, ages: Tensor) -> Tensor:
        """Answer [b, width] of windows without padding; ages: [b, t], when asked at the end."""
        net = self.net
        x = net.read(vectors, gaps, kinds)
        steps = torch.ones_like(ages).cumsum(1) - 1
        behind = (steps.amax(1, keepdim=True) - steps).clamp(0, net.dims.reach - 1)
        bias = (net.back[:, behind] + net.age[:, ages]).transpose(0, 1).unsqueeze(2)
        y = net.norm_in(x)
        return net.feed(x[:, -1:] + net.mix(y, y[:, -1:], bias)).squeeze(1)


def _tensor(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array))


class Learner:
    """A network and its optimiser (AdamW; Loshchilov and Hutter, 2019), the same by seed."""

    def __init__(
        self,
        shape: Shape,
        vectors: F32,
        bags: Bags | None = None,
        *,
        seed: int = 0,
        decay: float = 0.0,
        threads: int = 1,
    ) -> None:
        """Begin at item vectors float32[items, width], zeros for items never heard of.

        Traits begin at the mean of their items, an item at what its traits do not say of it.
        decay: of weights.
        """
        torch.set_num_threads(threads)
        # An own stream of random numbers: what else the process draws must not matter.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.net = Net(shape)
            self._random = torch.get_rng_state()
        self._bags = bags
        heard = np.abs(vectors).max(axis=1) > 0
        with torch.no_grad():
            self.net.table.weight.add_(_tensor(vectors))
            if bags is not None and self.net.traits is not None:
                self.net.traits.weight.copy_(_tensor(bags.means(vectors, heard)))
                told = self._rows(np.arange(shape.items)) - self.net.table.weight
                self.net.table.weight.sub_(told)
            # Of what nobody had, only traits are known.
            self.net.table.weight[_tensor(~heard)] = 0.0
        self._optimiser = torch.optim.AdamW(
            self.net.parameters(), lr=1e-3, weight_decay=decay, betas=(0.9, 0.98), fused=True
        )

    def _rows(self, items: I64) -> Tensor:
        """Answer [k, width], the vectors of int64[k] items: their own and their traits'."""
        own = nn.functional.embedding(_tensor(items), self.net.table.weight)
        if self._bags is None or self.net.traits is None:
            return own
        ids, starts = self._bags.of(items)
        return own + self.net.traits(_tensor(ids), _tensor(starts))

    def _asked(self, batch: Batch, vectors: Tensor, at: I64) -> Tensor:
        """Answer [m, width] at the asked places; `at` says which row is each item's vector."""
        ages = None if batch.ages is None else _tensor(batch.ages)
        read = nn.functional.embedding(_tensor(at), vectors)
        found = self.net(read, _tensor(batch.gaps), _tensor(batch.kinds), ages)
        return found[_tensor(batch.asked)]

    def learn(self, batch: Batch, drawn: Drawn, rate: float) -> float:
        """Take one step down the loss; answer it."""
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        wanted = np.concatenate([drawn.items, batch.targets, batch.items.ravel()])
        items, at = np.unique(wanted, return_inverse=True)
        some, own, read = np.split(at, np.cumsum([len(drawn.items), len(batch.targets)]))
        self.net.train()
        with torch.random.fork_rng(devices=[]):
            torch.set_rng_state(self._random)
            rows = self._rows(items)
            x = self._asked(batch, rows, read.reshape(batch.items.shape))
            self._random = torch.get_rng_state()
        pick = nn.functional.embedding
        given = (x, pick(_tensor(some), rows), pick(_tensor(own), rows), _tensor(drawn.logs))
        loss: Any = _Softmax.apply(*given, _tensor(drawn.rows), _tensor(drawn.columns))
        self._optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), 5.0)
        self._optimiser.step()
        return float(loss.detach())

    def vectors(self, known: npt.NDArray[np.bool_] | None = None) -> F32:
        """Answer float32[items, width]: every item's vector, its traits' included.

        known: bool[items]; of the others only the traits count.
        """
        with torch.inference_mode():
            rows = self._rows(np.arange(self.net.table.num_embeddings))
            if known is not None:
                rows[_tensor(~known)] -= self.net.table.weight[_tensor(~known)]
            return rows.numpy().copy()

    def ask(self, batch: Batch) -> F32:
        """Answer float32[m, width] at the asked places, without dropout."""
        self.net.eval()
        with torch.inference_mode():
            items, at = np.unique(batch.items, return_inverse=True)
            found = self._asked(batch, self._rows(items), at.reshape(batch.items.shape))
            return found.numpy()

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Answer a copy of every weight by name."""
        return {name: one.numpy().copy() for name, one in self.net.state_dict().items()}

    def restore(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take weights as `state` answered them."""
        self.net.load_state_dict({name: torch.from_numpy(one) for name, one in state.items()})

    def to_onnx(self) -> bytes:
        """Answer the network at the last place as ONNX, inputs INPUTS, any batch and length."""
        self.net.eval()
        example = (
            torch.zeros(1, 3, self.net.dims.width),
            *(torch.zeros(1, 3, dtype=torch.long) for _ in INPUTS[1:]),
        )
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            # The tracing exporter takes 0.1 s where its successor takes 8, and says so.
            warnings.simplefilter("ignore", DeprecationWarning)
            path = Path(folder) / "transformer.onnx"
            torch.onnx.export(
                Last(self.net),
                example,
                path,
                dynamo=False,
                opset_version=17,
                input_names=list(INPUTS),
                output_names=[OUTPUT],
                dynamic_axes={
                    **{name: {0: "histories", 1: "events"} for name in INPUTS},
                    OUTPUT: {0: "histories"},
                },
            )
            return path.read_bytes()
