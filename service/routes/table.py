"""The visible table of every thin route; a new one adds its line to its own module's ROUTES.

Knows nothing of what they do. Administration (health, metrics) is ordinary FastAPI.
"""

from service.http import Route
from service.routes import (
    bid_quotes,
    bids,
    campaigns,
    churn,
    churn_pages,
    events,
    intent,
    items,
    notices,
    recommendations,
    recommendations_batch,
    related,
    segment_users,
    segments,
    users,
)

ROUTES: tuple[Route, ...] = (
    *bids.ROUTES,
    *bid_quotes.ROUTES,
    *notices.ROUTES,
    *campaigns.ROUTES,
    *recommendations.ROUTES,
    *recommendations_batch.ROUTES,
    *related.ROUTES,
    *events.ROUTES,
    *users.ROUTES,
    *items.ROUTES,
    *churn.ROUTES,
    *churn_pages.ROUTES,
    *intent.ROUTES,
    *segments.ROUTES,
    *segment_users.ROUTES,
)
