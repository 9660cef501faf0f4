"""Where things live and how the store is set up, read from the environment once.

Knows the names of the variables and their defaults; opens nothing.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from domain.errors import OperatorError
from domain.money import currency_code
from feature_store.store import StoreSettings

DEFAULT_HOME = "./var"
FSYNC_CHOICES = ("always", "everysec")


@dataclass(slots=True, frozen=True)
class Home:
    """The one directory everything of a deployment lives under."""

    root: Path

    @property
    def valkey(self) -> Path:
        """Files of the embedded server."""
        return self.root / "valkey"

    @property
    def log(self) -> Path:
        """The event log (Parquet)."""
        return self.root / "log"

    @property
    def decisions(self) -> Path:
        """The decision log (Parquet)."""
        return self.root / "decisions"

    @property
    def bundles(self) -> Path:
        """Released models, one folder a family."""
        return self.root / "bundles"

    @property
    def sweeps(self) -> Path:
        """Everybody's scores as of a time, one folder a family and a sweep."""
        return self.root / "sweeps"

    @property
    def notices(self) -> Path:
        """Notifications that wait to be delivered, one folder a family."""
        return self.root / "notices"

    @property
    def mlflow(self) -> Path:
        """The tracking database and its artefacts, unless MLFLOW_TRACKING_URI says otherwise."""
        return self.root / "mlflow"


def _positive(environ: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = environ.get(name, "").strip()
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= most:
        raise OperatorError(f"{name} must be a whole number from 1 to {most:,}; unset: {default}")
    return int(text)


def settings_from_env(
    environ: Mapping[str, str] | None = None,
) -> tuple[StoreSettings, Home, str | None]:
    """Answer (store settings, home, REDIS_URL or None) as the environment has them.

    Raises OperatorError naming the variable that cannot be read and what it may be.
    """
    environ = os.environ if environ is None else environ
    default = StoreSettings()
    currency = environ.get("SANDERLING_CURRENCY", "").strip()
    if currency:
        try:
            currency_code(currency)
        except ValueError as error:
            raise OperatorError(
                "SANDERLING_CURRENCY must be three capital letters (ISO 4217), such as EUR"
            ) from error
    settings = StoreSettings(
        buckets=_positive(environ, "SANDERLING_BUCKETS", default.buckets, 4_096),
        history_cap=_positive(environ, "SANDERLING_HISTORY_CAP", default.history_cap, 65_536),
        house_currency=currency,
    )
    home = Home(Path(environ.get("SANDERLING_HOME", "").strip() or DEFAULT_HOME))
    return settings, home, environ.get("REDIS_URL", "").strip() or None


def fsync_from_env(environ: Mapping[str, str] | None = None) -> str:
    """Answer the embedded server's appendfsync: "always" unless SANDERLING_FSYNC says everysec.

    "always" keeps an acknowledged event through power loss; "everysec" may lose a second then.
    Raises OperatorError when it is neither.
    """
    environ = os.environ if environ is None else environ
    fsync = environ.get("SANDERLING_FSYNC", "").strip() or "always"
    if fsync not in FSYNC_CHOICES:
        raise OperatorError("SANDERLING_FSYNC must be always or everysec")
    return fsync
