"""What may be chosen about fitting intent; every default is stated here.

Knows nothing of how a choice is carried out.
"""

from dataclasses import dataclass

from domain.errors import BadField, ScientistError
from domain.events import parse_at
from training.fit.intent.net import CORES
from training.fit.intent.network import NetworkSettings
from training.fit.intent.sessions import QUESTIONS

CHAMPIONS = ("best", "network", "forest", "blend")


@dataclass(slots=True, frozen=True)
class IntentSettings:
    """How to fit intent.

    target: what will come (purchase, add_to_cart) or not (abandon). horizon_hours: beyond the
    session; 0 asks of the session alone. as_of: ISO 8601 or epoch; nothing at or after it is
    looked at, "" is the end of the log. test_share, valid_share: of the sessions, the last to
    begin, that test, and of the others those that tune. champion: best lets validation decide.
    core, width, layers, heads, dropout, rate, decay, patience, epochs: see NetworkSettings.
    rounds: of the bootstrap.
    """

    target: str = "purchase"
    horizon_hours: float = 0.0
    as_of: str = ""
    test_share: float = 0.2
    valid_share: float = 0.2
    champion: str = "best"
    core: str = "lstm"
    width: int = 32
    layers: int = 2
    heads: int = 4
    dropout: float = 0.3
    rate: float = 3e-3
    decay: float = 0.1
    patience: int = 3
    epochs: int = 30
    rounds: int = 100
    seed: int = 20
    threads: int = 1

    def __post_init__(self) -> None:
        choices = {"target": QUESTIONS, "champion": CHAMPIONS, "core": tuple(CORES)}
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise ScientistError(f"{name} is one of " + ", ".join(known))
        if not 0 <= self.horizon_hours < 24 * 366:
            raise ScientistError("horizon_hours is 0 (the session alone) to a year")
        for name in ("test_share", "valid_share"):
            if not 0.02 <= getattr(self, name) <= 0.5:
                raise ScientistError(f"{name} is 0.02 to 0.5")
        if self.width % 4 or not 4 <= self.width <= 512 or not 1 <= self.layers <= 8:
            raise ScientistError("width is a multiple of 4 up to 512, layers are 1 to 8")
        if not 1 <= self.heads <= 32 or not 0 <= self.dropout < 1:
            raise ScientistError("heads are 1 to 32, dropout is 0 to 1")
        if not self.rate > 0 or self.decay < 0 or self.patience < 1 or self.epochs < 1:
            raise ScientistError("rate is above 0, decay 0 or more, patience and epochs 1 or more")

    def network(self) -> NetworkSettings:
        """Answer how the network is learned."""
        return NetworkSettings(**{name: getattr(self, name) for name in NetworkSettings.__slots__})

    def until(self, end: int, now_ms: int) -> int:
        """Answer the time (ms UTC) before which everything is known, at most `end` + 1.

        Raises ScientistError when as_of cannot be read or lies in the future.
        """
        if not self.as_of:
            return min(end + 1, now_ms)
        try:
            at = parse_at(self.as_of, now_ms)
        except BadField as error:
            raise ScientistError(f"as_of is {error.message}") from error
        if at > now_ms:
            raise ScientistError("as_of lies in the future: nobody knows yet what became of it")
        return at
