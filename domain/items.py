"""Items: what may be recommended, and whether it may be shown just now."""

from dataclasses import dataclass, field

Attribute = str | float | bool | list[str]
"""What an attribute's value may be."""


@dataclass(slots=True, frozen=True)
class Item:
    """One thing in the catalogue.

    `price` is micros of the house currency or None; `expires_at` and `created_at` are UTC
    milliseconds; `attributes` maps a name to a text, a number, a flag or a list of texts.
    """

    item: str
    title: str = ""
    categories: tuple[str, ...] = ()
    attributes: dict[str, Attribute] = field(default_factory=dict[str, Attribute])
    price: int | None = None
    available: bool = True
    hidden: bool = False
    expires_at: int | None = None
    created_at: int = 0

    def is_live(self, now_ms: int) -> bool:
        """Tell whether the item may be shown at `now_ms`."""
        return (
            self.available
            and not self.hidden
            and (self.expires_at is None or self.expires_at > now_ms)
        )
