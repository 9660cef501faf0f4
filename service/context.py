"""What every route may use, built once a worker: the store, the clock, the live parts.

Only a bag of doors, each opened by `service.app`; it decides nothing itself.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from domain.clock import Clock
from feature_store.store import Store
from feature_store.sweeps.reading import Sweeps
from service.metrics import Metrics
from service.settings import ServiceSettings
from service.store_watch import StoreWatch

if TYPE_CHECKING:
    from service.bid_door import BidDoor
    from service.bid_learning import LiveLearning
    from service.bundles import Bundles
    from service.decisions import DecisionLog
    from service.live_campaigns import LiveCampaigns
    from service.live_catalogue import LiveCatalogue
    from service.live_churn import LiveChurn
    from service.live_intent import IntentScorer
    from service.live_money import LiveMoney
    from service.live_paces import LivePaces
    from service.live_segments import LiveSegments
    from service.recommend_learning import LiveRecommending
    from service.score_cache import ScoreCache
    from service.shedding import Gate, Waits
    from service.trends import LiveSegmentTrends, LiveTrends


@dataclass(slots=True)
class Context:
    """The doors a route goes through.

    watch: whether the store answers. bundles: the released models in use, by family.
    catalogue: the items as they stand. trends: what is popular now, shared by all workers;
    by_segment: the same of each segment.
    decisions: the log of answers. sweeps: everybody's churn scores as of one time.
    scores: scores on their way into the store. churn: what churn is answered from.
    intent: scores who sent events, in the background. segments: saved conditions, read. bids:
    answers exchanges. bid_gate: how many of them at a time; bid_waits: how long they may have
    waited. campaigns: who advertises, compiled. money: what may be spent, and the keys of
    notices. learning: what bids and their outcomes taught. paces: how far campaigns are slowed.
    recommending: makes recommendations, and learns from what came of them.
    """

    store: Store
    clock: Clock
    settings: ServiceSettings
    metrics: Metrics
    watch: StoreWatch
    bundles: "Bundles"
    catalogue: "LiveCatalogue"
    trends: "LiveTrends"
    by_segment: "LiveSegmentTrends"
    decisions: "DecisionLog"
    sweeps: Sweeps
    scores: "ScoreCache"
    churn: "LiveChurn"
    intent: "IntentScorer"
    segments: "LiveSegments"
    bids: "BidDoor"
    bid_gate: "Gate"
    bid_waits: "Waits"
    campaigns: "LiveCampaigns"
    money: "LiveMoney"
    learning: "LiveLearning"
    paces: "LivePaces"
    recommending: "LiveRecommending"
