"""Puts the API, the live stream and the page together over one context."""

from fastapi import APIRouter, FastAPI, Request, Response

from ingest_service.api import (
    alarms,
    alerts,
    audit,
    completeness,
    compliance,
    cycles,
    export,
    grafana,
    health,
    homes,
    judging,
    marks,
    metrics,
    operations,
    reports,
    series,
    session,
    store,
    stream,
    substitutions,
)
from ingest_service.api.context import Context
from ingest_service.api.describing import Described
from ingest_service.api.errors import CrossSiteForm
from ingest_service.api.failures import FAILURES, add_failures, answer
from ingest_service.api.grafana_series import RecentMeans
from ingest_service.api.page import (
    account,
    assets,
    city,
    data,
    entries,
    furnace,
    keys,
    password,
    people,
    provider,
    sign_in,
    tree,
)
from ingest_service.api.page import alarms as alarm_pages
from ingest_service.api.page import audit as audit_pages
from ingest_service.api.page import completeness as completeness_pages
from ingest_service.api.page import compliance as compliance_pages
from ingest_service.api.page import cremations as cremation_pages
from ingest_service.api.page import energy as energy_pages
from ingest_service.api.protection import OwnFormsOnly, SecurityHeaders
from ingest_service.api.stream import Streams

RESOURCES = (
    homes,
    series,
    export,
    alarms,
    alerts,
    compliance,
    judging,
    marks,
    cycles,
    reports,
    substitutions,
    completeness,
    operations,
    store,
    stream,
    session,
    audit,
)
PAGES = (
    assets,
    sign_in,
    provider,
    account,
    password,
    people,
    keys,
    tree,
    city,
    furnace,
    compliance_pages,
    entries,
    cremation_pages,
    energy_pages,
    completeness_pages,
    alarm_pages,
    audit_pages,
    data,
)
TAGS = [
    {"name": "homes", "description": "Funeral homes, furnaces and what their tags show now"},
    {"name": "series", "description": "Means, samples and trends"},
    {"name": "alarms", "description": "What needs a person"},
    {"name": "compliance", "description": "Judged hours, exceedances and the limits in force"},
    {"name": "cremations", "description": "What was cremated when, what it used and emitted, and who is sparing"},
    {"name": "completeness", "description": "What came of each hour, what is missing, and why"},
    {"name": "operations", "description": "Edges, what was not admitted, notifications"},
    {"name": "people", "description": "Who asks, and what they may"},
    {"name": "live", "description": "Server-sent events"},
    {"name": "grafana", "description": "InfluxQL for Grafana's InfluxDB data source"},
    {"name": "health", "description": "For those who run the service"},
]


def create_app(context: Context) -> FastAPI:
    """The application over that context. It starts no worker and owns no state but its open streams."""
    app = Described(
        title="Clearstack",
        version=context.version,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        openapi_tags=TAGS,
    )
    app.state.context = context
    app.state.streams = Streams()
    app.state.recent_means = RecentMeans(context.store)
    app.add_middleware(OwnFormsOnly, refusal=refusal)
    app.add_middleware(SecurityHeaders)
    add_failures(app)
    for router in routers():
        app.include_router(router)
    return app


def routers() -> list[APIRouter]:
    """Every router with its place."""
    api = APIRouter(prefix="/api/v1")
    for resource in RESOURCES:
        api.include_router(resource.router)
    return [api, health.router, metrics.router, grafana.router, *(page.router for page in PAGES)]


def refusal(request: Request) -> Response:
    """The answer to a form of another site's page."""
    return answer(request, FAILURES[CrossSiteForm], "the form was not sent from this page")
