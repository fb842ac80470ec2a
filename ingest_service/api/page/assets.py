"""The page's own files, served under an address that changes with their content, so that they may be kept for ever."""

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from fastapi import APIRouter, Response

from ingest_service.api.access import PUBLIC
from ingest_service.api.errors import NotFound

MEDIA_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
    "md": "text/plain; charset=utf-8",
}
FOREVER = "public, max-age=31536000, immutable"

router = APIRouter(include_in_schema=False)


@cache
def assets() -> Mapping[str, bytes]:
    """Every file below `static/`, by its path there."""
    return dict(_below(files("ingest_service.api.page").joinpath("static"), ""))


@cache
def assets_hash() -> str:
    """One hash over all of them: modules import each other by relative paths, so they change address together."""
    digest = hashlib.sha256()
    for path in sorted(assets()):
        digest.update(path.encode() + b"\0" + hashlib.sha256(assets()[path]).digest())
    return digest.hexdigest()[:16]


def asset_url(path: str) -> str:
    """The address of a file. KeyError where there is none, so a template cannot name a missing one."""
    assets()[path]
    return f"/static/{assets_hash()}/{path}"


@router.get("/static/{version}/{path:path}", dependencies=[PUBLIC])
def show_asset(version: str, path: str) -> Response:
    """A file of this version; one of another version does not exist."""
    if version != assets_hash() or path not in assets():
        raise NotFound(f"no file {path!r} of version {version!r}")
    media_type = MEDIA_TYPES[path.rpartition(".")[2]]
    return Response(assets()[path], media_type=media_type, headers={"Cache-Control": FOREVER})


def _below(folder: Traversable, prefix: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for entry in folder.iterdir():
        path = f"{prefix}{entry.name}"
        found += _below(entry, f"{path}/") if entry.is_dir() else [(path, entry.read_bytes())]
    return found
