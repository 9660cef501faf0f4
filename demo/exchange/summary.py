"""What an exchange's run came to: tables, and claims that are checked before they are made.

Figures are the exchange's books and the service's own answers. Knows nothing of how it ran.
"""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from demo.exchange.books import Books, Sale
from demo.exchange.campaigns import BRIGHT, EFFECTS, PLAIN, Running
from demo.exchange.watching import Belief, Moment
from demo.telling import DemoFailed, Teller

SHOWN_REASONS = 6
One = TypeVar("One")


class Ran(NamedTuple):
    """What a run leaves for the rest of the story; `spent` is what the service said at its end."""

    books: Books
    campaigns: Sequence[Running]
    spent: tuple[int, ...]
    moments: Sequence[Moment]


def accounts(teller: Teller, ran: Ran) -> None:
    """Tell each campaign's figures: bids and wins as the exchange has them, spend as we do."""
    rows = [["", "bids", "won", "spent", "of budget", "a thousand", "clicks", "purchases"]]
    for one, spent in zip(ran.campaigns, ran.spent, strict=True):
        book = ran.books.accounts[one.campaign]
        rows.append(
            [
                one.kind, f"{book.bids:,}", f"{book.wins:,}", f"{spent / 1e6:.4f}",
                f"{spent / one.budget:.1%}", f"{spent / 1e3 / max(book.wins, 1):.3f}",
                f"{book.clicks}", f"{book.purchases}",
            ]
        )  # fmt: skip
    teller.blank()
    teller.table(rows)


def reasons(teller: Teller, books: Books) -> None:
    """Tell why there was no bid, and how long answers took."""
    told = books.reasons.most_common()
    shown = [f"{cause} {count:,}" for cause, count in told[:SHOWN_REASONS]]
    more = sum(count for _, count in told[SHOWN_REASONS:])
    teller.say(
        f"Why there was no bid {books.statuses[204]:,} times, as the answers say: "
        + ", ".join(shown + ([f"others {more:,}"] if more else []))
        + f". Answers came within {books.waited(0.5):.1f} ms in half of all cases, within "
        f"{books.waited(0.99):.1f} ms in 99 of 100, the exchange running on the same cores."
    )


def learned(
    teller: Teller, ran: Ran, beliefs: tuple[Belief, Belief], truth: Sequence[float | None]
) -> None:
    """Tell what moved: the answer to the probe, prices above what was needed, creatives.

    beliefs, truth: before and after; how often such bids would have won.
    """
    before, after = beliefs
    rows = [["", "before", "after"]]
    rows.append(["bid", *(_money(one.bid) for one in (before, after))])
    rows.append(["chance to win, as told", *(_share(one.chance) for one in (before, after))])
    rows.append(["chance to win, in simulated truth", *(_share(one) for one in truth)])
    rows.append(["confidence", *(f"{one.confidence:.2f}" for one in (before, after))])
    names = {one.kind: one.campaign for one in ran.campaigns}
    reach = thirds([one for one in ran.books.sales if one.campaign == names["reach"]])
    rows.append(["", "first third", "last third"])
    rows.append(["reach: paid above the price to beat", *(_above(part) for part in reach)])
    clicks = thirds([one for one in ran.books.sales if one.campaign == names["clicks"]])
    rows.append([f"clicks: shown {BRIGHT}, of both", *(_bright(part) for part in clicks)])
    teller.table(rows)
    teller.say(
        f"(Simulated truth: {BRIGHT} is clicked {EFFECTS[BRIGHT] / EFFECTS[PLAIN]:.1f} times "
        f"as often as {PLAIN}; nobody told the service.)"
    )


def promises(teller: Teller, ran: Ran) -> None:
    """Tell what held, each checked; raises DemoFailed at the first that did not."""
    books = ran.books
    odd = sum(count for status, count in books.statuses.items() if status not in (200, 204))
    if not books.bids or not books.wins:
        raise DemoFailed("the exchange heard no bid that won")
    _claim(
        teller,
        not odd and not books.broken,
        f"{books.auctions:,} requests, every answer 200 or 204; no bid broke a floor or a size; "
        f"{books.late:,} answers came later than an exchange waits, {books.unanswered:,} never",
        f"statuses {dict(books.statuses)}, broken {dict(books.broken)}",
    )
    charged = tuple(books.accounts[one.campaign].charged for one in ran.campaigns)
    _claim(
        teller,
        charged == ran.spent,
        f"what we say was spent is what the exchange charged, to the micro: {sum(charged):,}",
        f"charged {charged}, spent {ran.spent}; notices {dict(books.told)}",
    )
    over = [one.kind for one, micros in zip(ran.campaigns, charged, strict=True)
            if micros > one.budget]  # fmt: skip
    _claim(teller, not over, "no campaign spent more than its budget", ", ".join(over))
    for one in ran.campaigns:
        book = books.accounts[one.campaign]
        if one.kind == "regulars":
            _claim(
                teller,
                not book.strangers,
                f"every one of the {book.bids:,} bids for the audience was on one of "
                f"{len(book.people):,} users who may be known",
                f"{book.strangers} were not",
            )


def _claim(teller: Teller, holds: bool, claim: str, seen: str) -> None:
    if not holds:
        raise DemoFailed(f"this should hold and does not: {claim} ({seen})")
    teller.holds(claim)


def thirds(rows: Sequence[One]) -> tuple[Sequence[One], Sequence[One]]:
    """Answer the first and the last third of something."""
    part = max(1, len(rows) // 3)
    return rows[:part], rows[-part:]


def _above(sales: Sequence[Sale]) -> str:
    """Say by how much of the price was paid more than had to be."""
    paid = sum(one.paid for one in sales)
    return _share(1 - sum(one.to_beat for one in sales) / paid) if paid else "–"


def _bright(sales: Sequence[Sale]) -> str:
    return _share(sum(one.creative == BRIGHT for one in sales) / len(sales)) if sales else "–"


def _share(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"


def _money(amount: float | None) -> str:
    return "–" if amount is None else f"{amount:.3f}"
