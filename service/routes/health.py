"""/healthz, /readyz, /metrics and /v1/models: what an operator and a balancer ask.

Ordinary FastAPI, off the hot path. Ready means able to answer: that needs neither a model
nor, since answers degrade, a store; the body names the state of both.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, Field

from service.context import Context
from service.errors import error_reply

router = APIRouter(tags=["operation"])


def context_of(request: Request) -> Context | None:
    """Answer the worker's context, None while it is starting."""
    return getattr(request.app.state, "context", None)


Found = Annotated[Context | None, Depends(context_of)]


class Health(BaseModel):
    """The process runs and its event loop turns."""

    status: Literal["ok"] = "ok"


class Model(BaseModel):
    """A released model in use; times are epoch milliseconds."""

    family: str
    version: str
    fitted_at: int
    loaded_at: int
    metrics: dict[str, float] = Field(description="as measured when it was fitted")


class Ready(BaseModel):
    """What answers rest on just now; `models` maps a family to its version."""

    status: Literal["ready", "degraded"]
    store: Literal["up", "down"]
    models: dict[str, str]


def _starting() -> Response:
    reply = error_reply(503, "starting", "the service is starting; retry")
    return Response(reply.body, reply.status, media_type="application/json")


@router.get("/healthz", summary="Is the process alive?")
async def healthz() -> Health:
    """Answer 200 for as long as the process can answer at all."""
    return Health()


@router.get(
    "/readyz",
    summary="May requests be sent here?",
    response_model=Ready,
    responses={503: {"description": "still starting"}},
)
async def readyz(context: Found) -> Ready | Response:
    """Answer 200 once started, with or without a model; 503 only while starting.

    `degraded` means the store is down: reads are answered without it and marked, writes
    are refused with 503.
    """
    if context is None:
        return _starting()
    up = context.watch.up
    return Ready(
        status="ready" if up else "degraded",
        store="up" if up else "down",
        models={loaded.family: loaded.version for loaded in context.bundles.all()},
    )


@router.get("/v1/models", summary="Which models answer", response_model=list[Model])
async def models(context: Found) -> list[Model] | Response:
    """Answer the released models in use in this worker."""
    if context is None:
        return _starting()
    return [
        Model(
            family=loaded.family,
            version=loaded.version,
            fitted_at=loaded.bundle.manifest.created_at,
            loaded_at=loaded.loaded_at,
            metrics={name: metric.value for name, metric in loaded.bundle.manifest.metrics.items()},
        )
        for loaded in context.bundles.all()
    ]


@router.get(
    "/metrics",
    summary="Figures for Prometheus",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def metrics(context: Found) -> Response:
    """Answer every metric of every worker in Prometheus' text format."""
    if context is None:
        return _starting()
    return Response(context.metrics.exposition(), media_type=CONTENT_TYPE_LATEST)
