"""Every refusal names its field; what passes can be run."""

from dataclasses import replace
from typing import Any

import pytest

from domain.campaign_checks import MAX_CPM, check_campaign
from domain.campaigns import (
    Aim,
    Budget,
    Campaign,
    Creative,
    Flight,
    FrequencyCap,
    LineItem,
    Media,
    Objective,
)
from domain.errors import BadField
from domain.money import MAX_UNITS, MICROS
from domain.targeting import Targeting

BANNER = Creative("a", width=300, height=250, domains=("brand.example",))
LINE = LineItem("l", 1_000_000)
GOOD = Campaign("c1", budget=Budget(daily=5), max_bid=2_000_000, creatives=(BANNER,), lines=(LINE,))


def refused(campaign: Campaign) -> str:
    with pytest.raises(BadField) as caught:
        check_campaign(campaign)
    return caught.value.field


def test_a_sound_campaign_passes() -> None:
    check_campaign(GOOD)
    check_campaign(replace(GOOD, zone="Asia/Kolkata", currency="INR", frequency=(FrequencyCap(3),)))
    check_campaign(replace(GOOD, objective=Objective(Aim.cpa, 5 * MICROS)))
    check_campaign(replace(GOOD, lines=(), creatives=()))
    worded = replace(
        BANNER, creative="w", domains=("Shop.xn--brnd-loa.example", "t_1.co"),
        categories=("IAB1-1",), language="pt-BR", mime="image/svg+xml",
        image="https://a.example/i.png", click="app://x",
    )  # fmt: skip
    plain = replace(worded, creative="b", secure=False, image="http://a.example/i.png")
    check_campaign(replace(GOOD, creatives=(BANNER, worded, plain), seat="Seat 7"))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"campaign": ""}, "campaign"),
        ({"campaign": "a/b"}, "campaign"),
        ({"campaign": "a" * 65}, "campaign"),
        ({"campaign": ".a"}, "campaign"),
        ({"currency": "usd"}, "currency"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"budget": Budget()}, "budget"),
        ({"budget": Budget(daily=-1)}, "budget.daily"),
        ({"budget": Budget(total=MAX_UNITS * MICROS + 1)}, "budget.total"),
        ({"budget": Budget(total=1, per_minute=-1)}, "budget.per_minute"),
        ({"max_bid": 0}, "max_bid"),
        ({"max_bid": MAX_CPM + 1}, "max_bid"),
        ({"objective": Objective(Aim.cpc)}, "objective.target"),
        ({"objective": Objective(Aim.clicks, 5)}, "objective.target"),
        ({"flight": Flight(20, 20)}, "flight.ends_at"),
        ({"flight": Flight(-1, 20)}, "flight.ends_at"),
        ({"frequency": (FrequencyCap(0),)}, "frequency.0.impressions"),
        ({"frequency": (FrequencyCap(1), FrequencyCap(1, 1))}, "frequency.1.window_ms"),
        ({"frequency": (FrequencyCap(1),) * 5}, "frequency"),
        ({"creatives": (BANNER, BANNER)}, "creatives"),
        ({"creatives": (replace(BANNER, width=0),)}, "creatives.0.width"),
        ({"creatives": (replace(BANNER, height=-1),)}, "creatives.0.width"),
        ({"creatives": (replace(BANNER, domains=()),)}, "creatives.0.domains"),
        ({"creatives": (replace(BANNER, domains=("",)),)}, "creatives.0.domains"),
        ({"creatives": (replace(BANNER, domains=("https://brand.example/",)),)},
         "creatives.0.domains"),
        ({"creatives": (replace(BANNER, domains=("brand.example:443",)),)}, "creatives.0.domains"),
        ({"creatives": (replace(BANNER, domains=("brand.example", " b.example")),)},
         "creatives.0.domains"),
        ({"creatives": (replace(BANNER, domains=("bränd.example",)),)}, "creatives.0.domains"),
        ({"creatives": (replace(BANNER, domains=("brand.example\n",)),)}, "creatives.0.domains"),
        ({"creatives": (replace(BANNER, domains=("a." * 130 + "example",)),)},
         "creatives.0.domains"),
        ({"creatives": (replace(BANNER, categories=("IAB1", "")),)}, "creatives.0.categories"),
        ({"creatives": (replace(BANNER, bundle="a\nb"),)}, "creatives.0.bundle"),
        ({"creatives": (replace(BANNER, language="english, german"),)}, "creatives.0.language"),
        ({"creatives": (replace(BANNER, mime="png"),)}, "creatives.0.mime"),
        ({"creatives": (replace(BANNER, click="https://a.example/ b"),)}, "creatives.0.click"),
        ({"creatives": (replace(BANNER, image="http://a.example/i.png"),)}, "creatives.0.image"),
        ({"creatives": (replace(BANNER, image="x" * 5_000),)}, "creatives.0.image"),
        ({"seat": "a\nb"}, "seat"),
        ({"creatives": (replace(BANNER, media=Media.video),)}, "creatives.0.duration_ms"),
        ({"creatives": (replace(BANNER, creative="?"),)}, "creatives.0.creative"),
        ({"creatives": (replace(BANNER, markup="x" * 70_000),)}, "creatives.0.markup"),
        ({"lines": (LINE, LINE)}, "lines"),
        ({"lines": (replace(LINE, line=" "),)}, "lines.0.line"),
        ({"lines": (replace(LINE, bid=0),)}, "lines.0.bid"),
        ({"lines": (replace(LINE, bid=2_000_001),)}, "lines.0.bid"),
        ({"lines": (replace(LINE, max_bid=999_999),)}, "lines.0.bid"),
        ({"lines": (replace(LINE, max_bid=-1),)}, "lines.0.max_bid"),
        ({"lines": (replace(LINE, creatives=("z",)),)}, "lines.0.creatives"),
        ({"lines": (replace(LINE, open_market=False),)}, "lines.0"),
        ({"lines": (replace(LINE, deals=("d", "")),)}, "lines.0.deals"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(changes: dict[str, Any], field: str) -> None:
    assert refused(replace(GOOD, **changes)) == field


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("geos", ("de",)),
        ("geos", ("DEU/BE/Berlin",)),
        ("not_geos", ("DEU/BE/berlin/mitte",)),
        ("devices", ("toaster",)),
        ("systems", ("Android",)),
        ("hours", (168,)),
        ("hours", (-1,)),
        ("hours", (5, 5)),
        ("segments", ("",)),
        ("segments", ("a\n",)),
        ("intent_bands", ("extreme",)),
        ("churn_bands", ("High",)),
        ("sites", ("Example.com",)),
        ("sites", ("https://news.example/sport",)),
        ("not_sites", ("*.news.example",)),
        ("not_sites", (" news.example",)),
        ("exchanges", (" north",)),
        ("sites", tuple(f"{n}.example" for n in range(2_001))),
        ("exchanges", ("x" * 257,)),
        ("exchanges", ("North",)),
    ],
)
def test_a_targeting_nobody_could_meet_is_refused(name: str, values: tuple[Any, ...]) -> None:
    line = replace(LINE, targeting=replace(Targeting(), **{name: values}))
    assert refused(replace(GOOD, lines=(LINE, replace(line, line="m")))) == (
        f"lines.1.targeting.{name}"
    )
