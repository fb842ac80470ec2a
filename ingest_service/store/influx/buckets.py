"""Buckets of InfluxDB 2 and the mappings by which InfluxQL finds them."""

from collections.abc import Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec

from ingest_service.errors import StoreError
from ingest_service.store.remote.connection import Connection

Answer = TypeVar("Answer")


class _Rule(msgspec.Struct, frozen=True, rename="camel"):
    every_seconds: int = 0


class _Bucket(msgspec.Struct, frozen=True, rename="camel"):
    id: str
    retention_rules: Sequence[_Rule] = ()


class _Buckets(msgspec.Struct, frozen=True):
    buckets: Sequence[_Bucket] = ()


class _Org(msgspec.Struct, frozen=True):
    id: str


class _Orgs(msgspec.Struct, frozen=True):
    orgs: Sequence[_Org] = ()


class _Mappings(msgspec.Struct, frozen=True):
    content: Sequence[dict[str, Any]] = ()


class Buckets:
    """Of one organisation. Raises StoreError."""

    def __init__(self, connection: Connection, org: str) -> None:
        self._connection = connection
        found = self._get("/api/v2/orgs", _Orgs, org=org).orgs
        if not found:
            raise StoreError(f"{connection.url}: organisation {org!r} is not there")
        self._org_id = found[0].id

    def prepare(self, name: str, kept_s: int) -> str:
        """Make the bucket and its mapping, or set for how long it keeps (s, 0 for ever); says what was done."""
        rules = [{"type": "expire", "everySeconds": kept_s}] if kept_s else []
        known = self._find(name)
        if known is None:
            self._send("POST", "/api/v2/buckets", {"orgID": self._org_id, "name": name, "retentionRules": rules})
            known = self._find(name)
        else:
            self._send("PATCH", f"/api/v2/buckets/{known.id}", {"retentionRules": rules})
        if known is None:
            raise StoreError(f"{self._connection.url}: bucket {name} could not be made")
        self._map(name, known.id)
        return f"bucket {name}: kept {kept_s // 86_400} days" if kept_s else f"bucket {name}: kept for ever"

    def kept_s(self, name: str) -> int | None:
        """For how many seconds the bucket keeps (0 for ever); None where there is none or InfluxQL cannot find it."""
        known = self._find(name)
        if known is None or not self._mappings(name):
            return None
        return known.retention_rules[0].every_seconds if known.retention_rules else 0

    def _find(self, name: str) -> _Bucket | None:
        found = self._get("/api/v2/buckets", _Buckets, orgID=self._org_id, name=name).buckets
        return found[0] if found else None

    def _map(self, name: str, bucket_id: str) -> None:
        if not self._mappings(name):
            mapping = {"orgID": self._org_id, "bucketID": bucket_id, "database": name, "retention_policy": "autogen"}
            self._send("POST", "/api/v2/dbrps", {**mapping, "default": True})

    def _mappings(self, name: str) -> Sequence[dict[str, Any]]:
        return self._get("/api/v2/dbrps", _Mappings, orgID=self._org_id, db=name).content

    def _get(self, path: str, kind: type[Answer], **fields: str) -> Answer:
        try:
            return msgspec.json.decode(self._connection.get(f"{path}?{urlencode(fields)}"), type=kind)
        except msgspec.DecodeError as error:
            raise StoreError(f"{self._connection.url}: the answer to {path} is not understood: {error}") from error

    def _send(self, method: str, path: str, body: dict[str, Any]) -> None:
        self._connection.send(method, path, msgspec.json.encode(body), "application/json")
