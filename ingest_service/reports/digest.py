"""The check sum of a report's content: of its figures and records, whatever the language or the file format."""

import hashlib

import msgspec

from ingest_service.reports.model import Report


def sha256_of(report: Report) -> str:
    """SHA-256, in hex, of the view-model as JSON with sorted keys."""
    return hashlib.sha256(msgspec.json.encode(report, order="sorted")).hexdigest()
