"""Telling: headings, sentences, calls as curl commands, trimmed JSON, small tables.

Knows nothing of what is told. Writes plain text; bold only where a terminal shows it.
"""

import json
import shlex
import sys
import textwrap
from collections.abc import Sequence
from typing import Any, TextIO

WIDTH = 96
LISTED = 3
"""How many entries of a list are printed before the rest is counted."""


class DemoFailed(Exception):
    """A step did not work or a claim did not hold; the message says which and what to do."""


class Teller:
    """Writes the transcript."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._bold = self._out.isatty()
        self._part = 0

    def _line(self, text: str = "") -> None:
        print(text, file=self._out, flush=True)

    def part(self, title: str) -> None:
        """Begin the next part."""
        self._part += 1
        head = f"{self._part}. {title}"
        self._line()
        self._line(f"\033[1m{head}\033[0m" if self._bold else head)
        self._line("─" * len(head))

    def say(self, text: str) -> None:
        """Say a paragraph."""
        for paragraph in text.splitlines():
            self._line(textwrap.fill(paragraph, WIDTH, break_on_hyphens=False))

    def holds(self, claim: str) -> None:
        """Say a claim that was just checked."""
        self._line(textwrap.fill(f"✓ {claim}", WIDTH, subsequent_indent="  "))

    def command(self, words: Sequence[str]) -> None:
        """Show a command line."""
        self._line(f"  $ {shlex.join(words)}")

    def curl(self, method: str, url: str, body: object = None) -> None:
        """Show a call as the curl command that makes it."""
        self._line()
        if body is None:
            self._line(f"  $ curl -s {shlex.quote(url)}")
            return
        self._line(
            f"  $ curl -s -X {method} {shlex.quote(url)} -H 'content-type: application/json' \\"
        )
        self._line(f"      -d {shlex.quote(json.dumps(body, ensure_ascii=False))}")

    def reply(self, status: int, body: object, ms: float) -> None:
        """Show an answer, lists cut to their first entries, and how long it took."""
        self._line(f"  HTTP {status}, {ms:.1f} ms")
        self.lines(folded(trimmed(body)))

    def table(self, rows: Sequence[Sequence[str]]) -> None:
        """Show rows with their columns aligned."""
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self._line("    " + "  ".join(cells).rstrip())

    def lines(self, lines: Sequence[str]) -> None:
        """Show lines as they are."""
        for line in lines:
            self._line(f"    {line}")

    def blank(self) -> None:
        """Leave a line free."""
        self._line()


def trimmed(value: Any) -> Any:
    """Answer a JSON value with long lists cut, the number of what was left out in their place."""
    if isinstance(value, dict):
        return {key: trimmed(part) for key, part in value.items()}
    if isinstance(value, list):
        shown = [trimmed(part) for part in value[:LISTED]]
        return shown + ([f"… {len(value) - LISTED} more"] if len(value) > LISTED else [])
    return round(value, 4) if isinstance(value, float) else value


def folded(value: Any, depth: int = 0) -> list[str]:
    """Answer a JSON value as lines: what fits on one is kept on one."""
    flat = json.dumps(value, ensure_ascii=False)
    pad = "  " * depth
    if len(flat) + len(pad) <= WIDTH or not isinstance(value, dict | list) or not value:
        return [pad + flat]
    open_, close = ("{", "}") if isinstance(value, dict) else ("[", "]")
    parts = list(value.items()) if isinstance(value, dict) else [(None, part) for part in value]
    lines = [pad + open_]
    for place, (key, part) in enumerate(parts):
        inner = folded(part, depth + 1)
        if key is not None:
            inner[0] = f"{pad}  {json.dumps(key)}: {inner[0].strip()}"
        inner[-1] += "," if place < len(parts) - 1 else ""
        lines += inner
    return [*lines, pad + close]
