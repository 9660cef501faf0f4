"""What the commands that handle models share: where things lie, as options and environment say.

Opens nothing by itself. Knows nothing of what a command does with it.
"""

import argparse
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domain.errors import TooLittleData
from feature_store.settings import Home, settings_from_env
from feature_store.store import StoreSettings
from training.fits import FITS
from training.logbook import Log, load_log, no_log
from training.tracking import Tracking


@dataclass(frozen=True)
class Desk:
    """A deployment as training sees it."""

    home: Home
    settings: StoreSettings
    url: str | None
    tracking: Tracking

    def family(self, name: str) -> Path:
        """Answer the folder of a family's bundles."""
        return self.home.bundles / name

    def log(self, fit: Mapping[str, Any] | None = None, *, may_be_empty: bool = False) -> Log:
        """Load the whole event log; raises TooLittleData when it is empty, unless it may be.

        fit: chosen settings of a fit; where they name a table, that is all it stands on, and
        the log answered holds nothing. With a label set the log may be empty: attributes of
        profiles are enough.
        """
        chosen = fit or {}
        if table := str(chosen.get("table", "")):
            return no_log(table)
        try:
            return load_log(self.home, self.settings, self.url)
        except TooLittleData:
            if not may_be_empty and not chosen.get("label_set"):
                raise
            return no_log(str(self.home.log))


def desk_from_env() -> Desk:
    """Answer the deployment that the environment names."""
    settings, home, url = settings_from_env()
    uri = os.environ.get("MLFLOW_TRACKING_URI", "").strip() or None
    return Desk(home, settings, url, Tracking(home.mlflow, uri))


def add_command(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    about: str,
    examples: str,
) -> argparse.ArgumentParser:
    """Add a command with a description and examples kept as they are written."""
    return subparsers.add_parser(
        name,
        help=about.splitlines()[0],
        description=about,
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_family(parser: argparse.ArgumentParser, default: str | None = "recommend") -> None:
    """Let the command name a family; `default` None means all of them."""
    parser.add_argument(
        "family",
        nargs="?",
        choices=tuple(FITS),
        default=default,
        help="kind of model: " + ", ".join(FITS) + f" (default: {default or 'all'})",
    )
