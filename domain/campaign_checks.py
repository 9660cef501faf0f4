"""What a campaign must be before it may spend: every refusal names the field and the reason.

Fields are named as in the JSON of the door: `lines.2.targeting.hours`. Knows nothing of JSON.
"""

import re
from collections.abc import Iterable, Sequence

from domain.calendars import zone_of
from domain.campaigns import NO_END, TARGETED, Budget, Campaign, Creative, LineItem, Media
from domain.clock import DAY_MS, MINUTE_MS
from domain.errors import BadField
from domain.ids import is_valid_id
from domain.money import MAX_UNITS, MICROS, currency_code
from domain.targeting import BANDS, DEVICES, HOURS, Targeting

MAX_LINES = 500
MAX_CREATIVES = 500
MAX_VALUES = 2_000
"""Values in one dimension of a targeting."""
MAX_CAPS = 4
MAX_WINDOW_MS = 30 * DAY_MS
MAX_CPM = 100_000 * MICROS
"""A price for 1,000 impressions beyond this is a slip of the pen."""
MAX_MARKUP = 65_536
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,63}")
_GEO = re.compile(r"[A-Z]{3}(/[A-Z0-9-]{0,8}(/[^/A-Z]{1,64})?)?")
_DOMAIN = re.compile(
    r"(?=.{4,253}$)([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)+[A-Za-z0-9-]{2,63}"
)
_NO_NAME = re.compile(r"[\s/*]")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
_MIME = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,64}/[A-Za-z0-9!#$&^_.+-]{1,64}")
MAX_ADDRESS = 4_096
_MOST = MAX_UNITS * MICROS


def check_campaign(campaign: Campaign) -> None:
    """Refuse a campaign that cannot be run as it stands; raises BadField."""
    check_name(campaign.campaign, "campaign")
    try:
        currency_code(campaign.currency)
    except ValueError as error:
        raise BadField("three capital letters (ISO 4217)", field="currency") from error
    zone_of(campaign.zone)
    check_values([campaign.seat] if campaign.seat else (), "seat")
    _check_budget(campaign.budget)
    _check_objective(campaign)
    if not 0 < campaign.max_bid <= MAX_CPM:
        raise BadField("a price above 0 and at most 100,000 for 1,000", field="max_bid")
    flight = campaign.flight
    if not 0 <= flight.starts_at < flight.ends_at <= NO_END:
        raise BadField("a flight ends after it starts", field="flight.ends_at")
    if len(campaign.frequency) > MAX_CAPS:
        raise BadField(f"at most {MAX_CAPS} caps", field="frequency", code="too_many")
    for place, cap in enumerate(campaign.frequency):
        if not 1 <= cap.impressions <= 500:
            raise BadField("from 1 to 500", field=f"frequency.{place}.impressions")
        if not MINUTE_MS <= cap.window_ms <= MAX_WINDOW_MS:
            raise BadField("from a minute to 30 days", field=f"frequency.{place}.window_ms")
    _check_creatives(campaign.creatives)
    _check_lines(campaign)


def check_name(text: str, field: str) -> None:
    """Refuse what may not name a campaign, a line or a creative; raises BadField."""
    if not _NAME.fullmatch(text):
        raise BadField(
            "1 to 64 of A-Z, a-z, 0-9, `.`, `_`, `~` and `-`, a letter or digit first", field=field
        )


def _check_budget(budget: Budget) -> None:
    if budget.daily is None and budget.total is None:
        raise BadField("daily, total or both are needed", field="budget", code="missing")
    for name, amount in (
        ("daily", budget.daily), ("total", budget.total), ("per_minute", budget.per_minute),
    ):  # fmt: skip
        if amount is not None and not 0 <= amount <= _MOST:
            raise BadField("not negative and at most 1e9 units", field=f"budget.{name}")


def _check_objective(campaign: Campaign) -> None:
    objective = campaign.objective
    if objective.aim in TARGETED and not 0 < objective.target <= _MOST:
        raise BadField(f"{objective.aim} needs a target above 0", field="objective.target")
    if objective.aim not in TARGETED and objective.target:
        raise BadField(f"{objective.aim} has no target", field="objective.target")


def _distinct(names: Iterable[str], field: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise BadField("given twice", field=field, code="duplicate")
        seen.add(name)


def _check_creatives(creatives: Sequence[Creative]) -> None:
    if len(creatives) > MAX_CREATIVES:
        raise BadField(f"at most {MAX_CREATIVES}", field="creatives", code="too_many")
    _distinct((one.creative for one in creatives), "creatives")
    for place, one in enumerate(creatives):
        at = f"creatives.{place}"
        check_name(one.creative, f"{at}.creative")
        if one.width < 0 or one.height < 0 or max(one.width, one.height) > 20_000:
            raise BadField("from 0 to 20,000", field=f"{at}.width")
        if one.media == Media.banner and not (one.width and one.height):
            raise BadField("a banner has a width and a height", field=f"{at}.width", code="missing")
        if one.media in (Media.video, Media.audio) and not 0 < one.duration_ms <= DAY_MS:
            raise BadField(f"{one.media} has a duration", field=f"{at}.duration_ms", code="missing")
        if len(one.markup) > MAX_MARKUP:
            raise BadField("at most 65,536 characters", field=f"{at}.markup", code="too_large")
        _check_words(one, at)


def _check_words(one: Creative, at: str) -> None:
    """Refuse words that no rule of a request could be held against: a block list knows domains, so
    an address in a domain's place would pass every one of them."""
    if not one.domains:
        raise BadField("the advertiser's domain is needed", field=f"{at}.domains", code="missing")
    for name in one.domains:
        if not _DOMAIN.fullmatch(name):
            raise BadField(
                "names such as shop.example, no addresses; of other scripts as xn--…",
                field=f"{at}.domains",
            )
    check_values(one.categories, f"{at}.categories")
    check_values([one.bundle] if one.bundle else (), f"{at}.bundle")
    if one.language and not _LANGUAGE.fullmatch(one.language):
        raise BadField("such as en or en-GB", field=f"{at}.language")
    if one.mime and not _MIME.fullmatch(one.mime):
        raise BadField("such as image/png", field=f"{at}.mime")
    for name, address in (("image", one.image), ("click", one.click)):
        if len(address) > MAX_ADDRESS or " " in address or not address.isprintable():
            raise BadField("an address without blanks", field=f"{at}.{name}")
    if one.secure and one.image.lower().startswith("http:"):
        raise BadField(
            "every asset of a secure creative is https: this picture is not", field=f"{at}.image"
        )


def check_values(values: Iterable[str], field: str) -> None:
    """Refuse words that are empty, too long or cannot be printed; raises BadField."""
    for value in values:
        if not (0 < len(value) <= 256 and value.isprintable()):
            raise BadField("1 to 256 printable characters", field=field)


def _check_lines(campaign: Campaign) -> None:
    if len(campaign.lines) > MAX_LINES:
        raise BadField(f"at most {MAX_LINES}", field="lines", code="too_many")
    _distinct((line.line for line in campaign.lines), "lines")
    known = {one.creative for one in campaign.creatives}
    for place, line in enumerate(campaign.lines):
        at = f"lines.{place}"
        check_name(line.line, f"{at}.line")
        _check_prices(campaign, line, at)
        for name in line.creatives:
            if name not in known:
                raise BadField("no creative of this campaign", field=f"{at}.creatives")
        check_values(line.deals, f"{at}.deals")
        if not line.open_market and not line.deals:
            raise BadField("neither deals nor the open market: it could buy nothing", field=at)
        check_targeting(line.targeting, f"{at}.targeting")


def _check_prices(campaign: Campaign, line: LineItem, at: str) -> None:
    if not 0 <= line.max_bid <= MAX_CPM:
        raise BadField("not negative and at most 100,000 for 1,000", field=f"{at}.max_bid")
    if not 0 < line.bid <= campaign.cap_of(line):
        raise BadField("above 0 and not above max_bid", field=f"{at}.bid")


def check_targeting(targeting: Targeting, at: str) -> None:
    """Refuse what no opportunity could satisfy or be held against; raises BadField."""
    allowed: dict[str, Sequence[object]] = {
        "devices": DEVICES, "hours": range(HOURS), "intent_bands": BANDS, "churn_bands": BANDS,
    }  # fmt: skip
    for name in Targeting.__dataclass_fields__:
        values: Sequence[object] = getattr(targeting, name)
        if len(values) > MAX_VALUES:
            raise BadField(f"at most {MAX_VALUES:,}", field=f"{at}.{name}", code="too_many")
        if len(set(values)) != len(values):
            raise BadField("given twice", field=f"{at}.{name}", code="duplicate")
        for value in values:
            if name in allowed and value not in allowed[name]:
                shown = "0 to 167" if name == "hours" else ", ".join(map(str, allowed[name]))
                raise BadField(f"one of {shown}", field=f"{at}.{name}")
            if isinstance(value, str):
                check_values((value,), f"{at}.{name}")
    for name in ("geos", "not_geos"):
        for value in getattr(targeting, name):
            if not _GEO.fullmatch(value):
                raise BadField("such as DEU, DEU/BE or DEU/BE/berlin", field=f"{at}.{name}")
    for name in ("sites", "not_sites", "systems", "exchanges"):
        for value in getattr(targeting, name):
            if value != value.lower():
                raise BadField("in lower case", field=f"{at}.{name}")
    # What no auction is ever called would never be bid for, or shun nothing.
    for name in ("sites", "not_sites"):
        if any(map(_NO_NAME.search, getattr(targeting, name))):
            raise BadField("a domain or a bundle: no address, blank or *", field=f"{at}.{name}")
    if not all(map(is_valid_id, targeting.exchanges)):
        raise BadField("without blanks at either end", field=f"{at}.exchanges")
