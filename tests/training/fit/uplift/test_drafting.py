"""From a table on disk to a bundle that answers, with its card."""

import numpy as np
import polars as pl
import pytest

from domain.errors import ScientistError
from models.bundle import open_bundle, write_bundle
from models.families import load_scorer
from training.datasets.synthetic.trial import simulate_trial
from training.fit.uplift.drafting import draft_of, fit_log, load_trial
from training.fit.uplift.settings import UpliftSettings
from training.logbook import no_log

NOW = 1_700_000_000_000
QUICK = {
    "treatment": "contacted",
    "outcome": "left",
    "bad_outcome": True,
    "user": "customer",
    "learners": ["x"],
    "leaves": [4],
    "trees": [40],
    "choosing": 1,
    "repeats": 2,
    "rounds": 40,
}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Write a simulated trial as somebody's system would: who left, not who stayed."""
    simulated = simulate_trial(6000, np.random.default_rng(5))
    frame = pl.DataFrame(
        {
            "customer": [f"c{n}" for n in range(6000)],
            **simulated.people,
            "contacted": simulated.treated,
            "left": 1 - simulated.stayed,
        }
    )
    path = tmp_path_factory.mktemp("tables") / "trial.parquet"
    frame.write_parquet(path)
    return path, simulated


def test_a_table_becomes_a_bundle_that_answers(table, tmp_path):
    path, simulated = table
    fitted, settings = fit_log(no_log(str(path)), {**QUICK, "table": str(path)}, NOW)
    bundle = write_bundle(tmp_path, draft_of(no_log(str(path)), fitted, settings, NOW))
    loaded = load_scorer(open_bundle(bundle.path))
    people = pl.DataFrame(simulated.people).to_dicts()
    found = loaded.effects(loaded.matrix({}, people[:3000]))
    assert np.corrcoef(found.effect, simulated.effect[:3000])[0, 1] > 0.5
    manifest = bundle.manifest
    assert manifest.data.events == 6000
    assert len(manifest.data.digest) == 64
    assert manifest.settings["outcome"] == "left (turned: 1 is bad)"
    assert manifest.metrics["qini"].value > 0
    text = (bundle.path / "card.md").read_text()
    assert "6,000 rows of a table" in text
    assert "# Uplift" in text
    assert "c17" not in text


def test_the_table_is_remembered_by_its_whole_path(table, monkeypatch):
    path, _ = table
    monkeypatch.chdir(path.parent)
    _, settings = fit_log(no_log("x"), {**QUICK, "table": path.name}, NOW)
    assert settings.table == str(path)


def test_a_log_without_events_says_what_is_missing(monkeypatch, tmp_path):
    monkeypatch.setenv("SANDERLING_HOME", str(tmp_path))
    with pytest.raises(ScientistError, match="no decision of the family 'contact'"):
        load_trial(no_log(""), UpliftSettings(attributes=False), NOW)
