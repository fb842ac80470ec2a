"""The OpenAPI document, which is open to all: it tells how to ask, and nothing of what is kept here."""

from typing import Any

from fastapi import FastAPI

from ingest_service.people.roles import KeyUse

OPEN: dict[str, Any] = {"security": []}  # of an operation that asks nobody who they are
KEY, KEY_AS_PASSWORD, SESSION = "key", "key_as_password", "session"
SCHEMES = {
    KEY: {
        "type": "http",
        "scheme": "bearer",
        "description": "A key for a machine (`ingest-service key add`, or the page of keys). It opens what its uses "
        f"say, at its node and below: {', '.join(KeyUse)}.",
    },
    KEY_AS_PASSWORD: {
        "type": "http",
        "scheme": "basic",
        "description": "The same key as the password of any user, for programs that know no other way.",
    },
    SESSION: {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-session",
        "description": "The session of a person who signed in on the page (without TLS, on loopback: `session`). It "
        "opens what their roles say; with a password that someone else set nothing but the choice of their own.",
    },
}
REFUSALS = {"401": "Nobody says who asks, or what they hold has ended", "403": "Who asks may not do this"}


class Described(FastAPI):
    """The application; its document says for each operation how to say who asks."""

    def openapi(self) -> dict[str, Any]:
        """The document, made at the first request for it."""
        document = super().openapi()
        document["components"]["securitySchemes"] = SCHEMES
        document["security"] = [{scheme: []} for scheme in SCHEMES]
        for operation in (one for path in document["paths"].values() for one in path.values()):
            if "security" not in operation:
                for status, meaning in REFUSALS.items():
                    operation["responses"].setdefault(status, _refusal(meaning))
        return document


def _refusal(meaning: str) -> dict[str, Any]:
    shape = {"$ref": "#/components/schemas/ErrorOut"}
    return {"description": meaning, "content": {"application/json": {"schema": shape}}}
