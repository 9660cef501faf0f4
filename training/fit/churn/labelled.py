"""The fit of churn from a label file: attributes, and events where there are any.

Labels known at about one time leave no time to split by: customers are parted instead, and the
split says so. Knows nothing of tracking, release or bundles' files.
"""

import numpy as np
import polars as pl

from domain.errors import TooLittleData
from domain.ids import user_entity
from feature_store.history import History
from feature_store.views.catalogue import views_named
from models.churn.features import VIEWS
from training.fit.churn.checks import check_labels, check_leaks_by_cutoff
from training.fit.churn.folds import customer_folds, purged
from training.fit.churn.grade import grade
from training.fit.churn.judge import Judged, judge_rows, learn_from
from training.fit.churn.run import Fitted, Profiles, assemble, golden_rows, metrics_of, told
from training.fit.churn.settings import ChurnSettings
from training.fit.churn.table import Table, attributes_of
from training.labels import outcomes

FOLDS = 5
LEAST_FOUND = 0.5
"""Share of labelled people with events from which on events are features."""


def labelled_table(
    history: History | None, labels: pl.DataFrame, settings: ChurnSettings, profiles: Profiles
) -> Table:
    """Answer the table of a label set (columns user, at in ms UTC, label).

    A label known at `at` speaks of the window that ends there; features are those of its start.
    Raises TooLittleData when there is nothing to learn from about those who are labelled.
    """
    users = labels["user"].to_list()
    y = outcomes(labels["label"].to_list(), settings.left_labels)
    window = settings.meaning().window_ms
    as_of = labels["at"].to_numpy() - window
    people = [profiles.get(user, {}) for user in users]
    attributes = attributes_of(people)
    views = {}
    owner = np.unique(np.array(users), return_inverse=True)[1].astype(np.int64)
    if history is not None:
        pairs = [(user_entity(user), int(at)) for user, at in zip(users, as_of, strict=True)]
        replayed = history.replay(views_named(VIEWS), pairs)
        if replayed.found.mean() >= LEAST_FOUND:
            views = replayed.views
    if not views and not attributes.names():
        raise TooLittleData(
            "of those who are labelled neither attributes nor events are known: import users "
            "(`training import --users`) or events under the same ids"
        )
    waited = np.full(len(y), np.inf)
    extra = attributes.encode(people)
    return Table(owner, as_of, y, waited, views, extra, attributes, window)


def judge_labelled(table: Table, settings: ChurnSettings) -> tuple[Judged, str]:
    """Judge on the last three of five spans of time; without such, on parts of the customers."""
    x, names = table.x(None), table.names(None)
    everything = np.arange(len(table))
    edges = np.quantile(table.as_of, (0.4, 0.6, 0.8, 1.0), method="lower")
    parts: list[Judged] = []
    if edges[-1] - table.as_of.min() >= 3 * table.window_ms and len(np.unique(edges)) == 4:
        for place in range(3):
            known = everything[purged(table.as_of, int(edges[place]) + 1, table.window_ms)]
            inside = (table.as_of > edges[place]) & (table.as_of <= edges[place + 1])
            parts.append(judge_rows(x, table, known, everything[inside], names, settings))
        return Judged.joined(parts), "time"
    rng = np.random.default_rng(settings.seed)
    folds = customer_folds(table.owner, table.y, FOLDS, rng)
    parts = [judge_rows(x, table, fold.train, fold.valid, names, settings) for fold in folds]
    return Judged.joined(parts), "customers"


def fit_labelled(
    history: History | None, labels: pl.DataFrame, settings: ChurnSettings, profiles: Profiles
) -> Fitted:
    """Fit contractual churn on a label set. Raises TooLittleData and ScientistError."""
    table = labelled_table(history, labels, settings, profiles)
    check_labels(table.y, table.owner, "in the label set")
    x, names = table.x(None), table.names(None)
    check_leaks_by_cutoff(x, table.y, table.as_of, names, settings.allowed_leaks)
    judged, kind = judge_labelled(table, settings)
    learned, tuned, _, folds = learn_from(x, table, np.arange(len(table)), settings)
    model = assemble(learned, x, table, settings, None, None)
    metrics = metrics_of(judged, settings)
    left = int(judged.y.sum())
    mark = grade(metrics, left, len(judged.y) - left)
    found = {
        **told(tuned),
        "folds": folds,
        "grade": mark.letter,
        "grade_why": mark.why,
        "survival": False,
    }
    split = {"kind": kind, "rows": len(table), "test_rows": len(judged.y), "left": left}
    golden = golden_rows(model, x, settings.seed)
    return Fitted(model, metrics, found, golden, split, mark, judged)
