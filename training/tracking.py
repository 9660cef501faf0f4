"""The only door to MLflow: one run a fit, one registered version a bundle, two aliases.

The bundle folder stays the model; MLflow keeps the record beside it, without pickles and, when
its artifacts lie on this machine, without a second copy. Knows nothing of how a model is fitted
or gated. Telemetry is switched off before mlflow is imported.
"""

import json
import logging
import os
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from domain.errors import OperatorError
from models.bundle import Bundle, Metric

if TYPE_CHECKING:
    from mlflow import MlflowClient

CHAMPION = "champion"
CHALLENGER = "challenger"
_BUNDLE_TAG = "bundle"
_MAX_VALUE = 500
_MAX_DESCRIPTION = 5_000
_MAX_BATCH = 100
_MAX_NAME = 250
"""What mlflow takes at most: characters of a parameter, of a description, values in one call,
characters of a name."""
_UNFIT = re.compile(r"[^\w\-. ]")
"""What no name of a parameter may hold; attributes are named by whoever wrote the catalogue."""


@dataclass(slots=True, frozen=True)
class Tracked:
    """What MLflow keeps of one bundle: its registered number, run, aliases and state."""

    version: str
    number: str
    run_id: str
    aliases: tuple[str, ...]


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Flatten nested values to dotted names and short texts, as run parameters are.

    A character that MLflow takes in no name becomes an underscore.
    """
    found: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found.update(flat(value, f"{prefix}{name}."))
        else:
            text = value if isinstance(value, str) else json.dumps(value, default=str)
            found[_UNFIT.sub("_", f"{prefix}{name}")[:_MAX_NAME]] = text[:_MAX_VALUE]
    return found


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what mlflow's own dependencies warn of to themselves: nobody here can act on it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        yield


def _connect(uri: str) -> "MlflowClient":
    # Before the import: mlflow decides about telemetry while it is imported.
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["DO_NOT_TRACK"] = "true"
    os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"
    with _quiet():
        import mlflow

        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.WARNING)
        return mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)


class Tracking:
    """One MLflow server or database, opened on first use.

    `folder` is `<home>/mlflow`; `uri` (MLFLOW_TRACKING_URI) goes before the sqlite file in it.
    Every method raises OperatorError when MLflow cannot be reached or refuses.
    """

    def __init__(self, folder: Path, uri: str | None = None) -> None:
        self._folder = folder.absolute()
        self._local = None if uri else self._folder / "mlflow.db"
        self.uri = uri or f"sqlite:///{self._local}"
        self._client: MlflowClient | None = None

    @property
    def remote(self) -> bool:
        """Tell whether a server keeps the artifacts; a database alone leaves them with us."""
        return self.uri.startswith(("http:", "https:", "databricks"))

    @contextmanager
    def _calls(self) -> Iterator["MlflowClient"]:
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            with _quiet():
                if self._client is None:
                    self._client = _connect(self.uri)
                yield self._client
        except (OperatorError, KeyboardInterrupt):
            raise
        except Exception as error:
            # Whatever a database driver or an HTTP client raises, the operator must act.
            scheme = self.uri.split(":", 1)[0]
            raise OperatorError(
                f"MLflow ({scheme}) failed with {type(error).__name__}; check that "
                "MLFLOW_TRACKING_URI names a server or database that answers, or unset it"
            ) from error

    def _experiment(self, client: "MlflowClient", family: str) -> str:
        name = f"sanderling/{family}"
        found = client.get_experiment_by_name(name)
        if found is not None:
            return found.experiment_id
        # Without a place of its own, mlflow would put artifacts under the current folder.
        place = None if self.remote else (self._folder / "artifacts" / family).as_uri()
        return client.create_experiment(name, artifact_location=place)

    def _model(self, client: "MlflowClient", family: str) -> str:
        name = f"sanderling-{family}"
        if not client.search_registered_models(f"name = '{name}'"):
            client.create_registered_model(
                name, description=f"Bundles of the {family} family; the source is the folder."
            )
        return name

    def prepare(self, family: str) -> None:
        """Open the record and make room for a family, so that nothing of it is left for later."""
        with self._calls() as client:
            self._experiment(client, family)
            self._model(client, family)

    def log_fit(self, bundle: Bundle, source: str, plots: Mapping[str, Path]) -> str:
        """Record a bundle as a run and as a registered version; answer the run's id.

        `source` says where the events came from; `plots` maps names to PNG files. A bundle
        that is recorded already keeps its run and version.
        """
        with self._calls() as client:
            known = self._find(client, bundle.family, bundle.version)
            if known is not None:
                return known.run_id
            run = client.create_run(
                self._experiment(client, bundle.family),
                run_name=bundle.version,
                tags={
                    _BUNDLE_TAG: bundle.version,
                    "family": bundle.family,
                    "mlflow.source.git.commit": bundle.manifest.commit or "unknown",
                    "mlflow.source.name": "python -m training fit",
                },
            )
            run_id = run.info.run_id
            try:
                self._log_values(client, run_id, bundle, source)
                self._log_files(client, run_id, bundle, plots)
                place = str(bundle.path)
                if self.remote:
                    client.log_artifacts(run_id, place, "bundle")
                    place = f"{run.info.artifact_uri}/bundle"
                client.create_model_version(
                    self._model(client, bundle.family),
                    source=place,
                    run_id=run_id,
                    tags={_BUNDLE_TAG: bundle.version},
                    description=(bundle.path / "card.md").read_text("utf-8")[:_MAX_DESCRIPTION],
                )
            except BaseException:
                client.set_terminated(run_id, "FAILED")
                raise
            client.set_terminated(run_id)
            return run_id

    def _log_values(self, client: "MlflowClient", run_id: str, bundle: Bundle, source: str) -> None:
        from mlflow import entities

        manifest = bundle.manifest
        params = flat({"settings": manifest.settings, "model": manifest.params})
        at = manifest.created_at
        metrics = [
            entities.Metric(name + end, value, at, 0)
            for name, metric in manifest.metrics.items()
            for end, value in zip(("", "_low", "_high"), metric, strict=True)
        ]
        client.log_batch(
            run_id,
            metrics=metrics,
            tags=[
                entities.RunTag(f"data.{name}", value)
                for name, value in flat(asdict(manifest.data)).items()
            ]
            + [entities.RunTag(f"view.{name}", sign) for name, sign in manifest.views.items()],
        )
        kept = [entities.Param(name, value) for name, value in sorted(params.items())]
        for begin in range(0, len(kept), _MAX_BATCH):
            client.log_batch(run_id, params=kept[begin : begin + _MAX_BATCH])
        data = asdict(manifest.data)
        dataset = entities.Dataset(
            name="event log",
            digest=manifest.data.digest[:36] or "unknown",
            source_type="local",
            source=json.dumps({"uri": source}),
            profile=json.dumps(data),
        )
        used = [entities.InputTag("mlflow.data.context", "training, validation and test")]
        client.log_inputs(run_id, datasets=[entities.DatasetInput(dataset, used)])

    def _log_files(
        self, client: "MlflowClient", run_id: str, bundle: Bundle, plots: Mapping[str, Path]
    ) -> None:
        manifest = bundle.manifest
        client.log_artifact(run_id, str(bundle.path / "manifest.json"))
        client.log_artifact(run_id, str(bundle.path / "card.md"))
        client.log_dict(run_id, asdict(manifest.data), "dataset.json")
        client.log_dict(run_id, manifest.views, "feature_signature.json")
        for plot in plots.values():
            client.log_artifact(run_id, str(plot), "plots")

    def log_evaluation(self, bundle: Bundle, name: str, table: Mapping[str, Metric]) -> None:
        """Add an evaluation of a recorded bundle to its run, its names beginning with `name`."""
        from_table = {f"{name}.{metric}": value for metric, value in table.items()}
        with self._calls() as client:
            known = self._find(client, bundle.family, bundle.version)
            if known is None:
                return
            for metric, value in from_table.items():
                for end, number in zip(("", "_low", "_high"), value, strict=True):
                    client.log_metric(known.run_id, metric + end, number)

    def _find(self, client: "MlflowClient", family: str, version: str) -> Tracked | None:
        return next((t for t in self._search(client, family) if t.version == version), None)

    def _search(self, client: "MlflowClient", family: str) -> list[Tracked]:
        name = self._model(client, family)
        # Only the model itself lists its aliases; a search of versions leaves them out.
        aliases = client.get_registered_model(name).aliases
        return [
            Tracked(
                found.tags.get(_BUNDLE_TAG, ""),
                str(found.version),
                found.run_id or "",
                tuple(
                    sorted(a for a, number in aliases.items() if str(number) == str(found.version))
                ),
            )
            for found in client.search_model_versions(f"name = '{name}'", max_results=1000)
        ]

    def versions(self, family: str) -> dict[str, Tracked]:
        """Answer what is recorded of each bundle version of a family.

        Looking makes no database where there is none.
        """
        if self._local is not None and not self._local.exists():
            return {}
        with self._calls() as client:
            return {tracked.version: tracked for tracked in self._search(client, family)}

    def set_alias(self, family: str, version: str, alias: str) -> None:
        """Let `alias` name the registered version of a bundle; a version has but one of the two.

        Raises OperatorError when the bundle was never recorded here.
        """
        with self._calls() as client:
            known = self._find(client, family, version)
            if known is None:
                raise OperatorError(
                    f"MLflow has no record of bundle {family}/{version}; point "
                    "MLFLOW_TRACKING_URI at the server it was fitted with"
                )
            name = self._model(client, family)
            if alias not in known.aliases:
                client.set_registered_model_alias(name, alias, known.number)
            other = CHALLENGER if alias == CHAMPION else CHAMPION
            if other in known.aliases and alias == CHAMPION:
                client.delete_registered_model_alias(name, other)

    def mark_cleared(self, family: str, versions: list[str]) -> None:
        """Note on the registered versions that their bundles are no longer on disk."""
        with self._calls() as client:
            for tracked in self._search(client, family):
                if tracked.version in versions:
                    name = self._model(client, family)
                    client.set_model_version_tag(name, tracked.number, "cleared", "true")
