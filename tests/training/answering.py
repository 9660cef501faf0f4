"""A small shop that answers, and whose clicks are known by construction.

Even items are short, odd ones long. On phones short items are wanted, elsewhere long ones; nobody
wants one for anything else. A place p, from 1, is looked at with chance p to the power of
-steepness.
"""

import json

import numpy as np

from domain.clock import DAY_MS
from domain.events import Event, Kind
from domain.ids import user_entity
from feature_store.history import History
from tests.training.worlds import START

ITEMS = 40
SHOWN = 10
FIRST_DAY, LAST_DAY = 20, 30
WANTED, UNWANTED = 0.5, 0.05


def shop(
    users=300, each=12, steepness=1.0, seed=0, sided=True, blind=False, swaps=True, pushed=0.0
):
    """Answer (history, decisions as the log has them, item ids).

    sided: the device matters; otherwise no item is better than another. blind: nobody says where
    they are. swaps: lists are drawn, as chance draws mixes; else everybody has a list of their own.
    pushed: share of the lists that begin with what is bought most, items of high numbers, others
    ending with it; what is bought least is then wanted twice as much, whoever asks.
    """
    rng = np.random.default_rng(seed)
    items = [f"i{item:02d}" for item in range(ITEMS)]
    events = [Event(f"all{i}", user_entity("all"), Kind.purchase, START + i, item)
              for i, item in enumerate(items)]  # fmt: skip
    if pushed:
        events += [
            Event(f"more{i}-{more}", user_entity("all"), Kind.purchase, START + 100 + i, item)
            for i, item in enumerate(items)
            for more in range(i)
        ]
    rows = []
    for user in range(users):
        name = user_entity(f"p{user}")
        for step, item in enumerate(rng.choice(ITEMS, 4, replace=False)):
            at = START + int((step * 4.5 + rng.random()) * DAY_MS)
            events.append(Event(f"{user}-{step}", name, Kind.purchase, at, items[item]))
        own = rng.permutation(ITEMS)[:SHOWN]
        for turn in range(each):
            device = "phone" if rng.random() < 0.5 else "desktop"
            span = LAST_DAY - FIRST_DAY
            at = START + int((FIRST_DAY + rng.random() * span) * DAY_MS)
            drawn = rng.permutation(ITEMS)[:SHOWN] if swaps else own
            if pushed:
                drawn = np.sort(own)[:: -1 if rng.random() < pushed else 1]
            decision = f"d{user}-{turn}"
            chosen = {"mix": "released", "learning": True, "explored": []}
            request = {"k": SHOWN, "chosen": chosen}
            if not blind:
                request["context"] = {"device": device, "page": "home"}
            rows.append({
                "decision_id": decision, "at": at, "as_of": at, "family": "recommend",
                "entity": name, "items": [items[item] for item in drawn],
                "request": json.dumps(request),
            })  # fmt: skip
            for place, item in enumerate(drawn):
                right = (item % 2 == 0) == (device == "phone") if sided else item % 2 == 0
                chance = (WANTED if right else UNWANTED) if sided else 0.3
                if pushed:
                    chance = 0.4 if item < ITEMS // 2 else 0.2
                if rng.random() < chance * (1 + place) ** -steepness:
                    events.append(
                        Event(
                            f"{decision}-{place}", name, Kind.click, at + 1 + place, items[item],
                            decision_id=decision,
                        )
                    )  # fmt: skip
    rows.sort(key=lambda row: (row["at"], row["decision_id"]))
    return History.from_events(events), rows, items
