"""The route table with each route's rule, as the application itself holds it."""

import re
from collections.abc import Iterator
from enum import StrEnum

import msgspec
from fastapi import APIRouter
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from ingest_service.api.access import Needs, anyone, arrived, signed_in
from ingest_service.api.app import routers
from ingest_service.people.roles import Right


class Open(StrEnum):
    """A route that needs no right: open to all, to whoever is known, or to those with a password to choose too."""

    PUBLIC = "public"
    ARRIVING = "arriving"
    SIGNED_IN = "signed_in"


class Route(msgspec.Struct, frozen=True):
    """One method of one path, and its rule; None where it states none."""

    method: str
    path: str
    rule: Right | Open | None

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names in the path."""
        return tuple(re.findall(r"\{(\w+)", self.path))

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def route_table() -> list[Route]:
    """Every route of the application."""
    found = [route for router in routers() for route in _routes(router, "")]
    return sorted(found, key=lambda route: (route.path, route.method))


def _routes(router: APIRouter, prefix: str) -> Iterator[Route]:
    for route in router.routes:
        if isinstance(route, APIRoute):
            for method in route.methods or ():
                yield Route(method, f"{prefix}{route.path}", rule_of(route.dependant))
        else:  # a router that was included
            yield from _routes(route.original_router, f"{prefix}{router.prefix}")  # type: ignore[attr-defined]


def rule_of(dependant: Dependant) -> Right | Open | None:
    """The strictest rule among what a route needs, however deep: a right to do before one to see, before none."""
    rights = {call.right for call in _calls(dependant) if isinstance(call, Needs)}
    doing = rights - {Right.VIEW, Right.CHARTS}
    if doing or rights:
        return sorted(doing or rights)[0]
    calls = list(_calls(dependant))
    kinds = {signed_in: Open.SIGNED_IN, arrived: Open.ARRIVING, anyone: Open.PUBLIC}
    return next((rule for call, rule in kinds.items() if call in calls), None)


def _calls(dependant: Dependant) -> Iterator[object]:
    yield dependant.call
    for needed in dependant.dependencies:
        yield from _calls(needed)
