"""The authority's folder: its key (0600), what it issued, and the two files that the broker reads: acl and crl.pem."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from ingest_service.errors import ServiceError
from ingest_service.identity.authority import Authority, Issued
from ingest_service.identity.names import EdgeName, IdentityError, rules

PRIVATE, READABLE = 0o600, 0o644


class Certified(msgspec.Struct, frozen=True, kw_only=True):
    """One certificate of an edge; times are ms since 1970 UTC. `revoked_at_ms` 0 is not revoked."""

    home: str
    edge: str
    serial: str  # hexadecimal: JSON has no integers of that size
    issued_at_ms: int
    until_ms: int
    revoked_at_ms: int = 0

    @property
    def name(self) -> EdgeName:
        """Whose it is."""
        return EdgeName(self.home, self.edge)

    def holds(self, now_ms: int) -> bool:
        """Whether the broker lets it in."""
        return not self.revoked_at_ms and now_ms < self.until_ms


class IdentityFolder:
    """Enrols and revokes edges; `service` is the service's own name at the broker. One change at a time."""

    def __init__(self, path: Path, service: str) -> None:
        self._path, self._service = path, service

    def enrol(self, name: EdgeName, now_ms: int, days: int, request: bytes | None = None) -> Issued:
        """A certificate for an edge; those that it had are revoked. With a request its key stays where it is."""
        with self._changing(now_ms) as authority:
            if request is None:
                issued = authority.issue_client(str(name), now_ms, days)
            else:
                issued = authority.sign_request(str(name), request, now_ms, days)
            added = Certified(
                home=name.home,
                edge=name.edge,
                serial=f"{issued.serial:x}",
                issued_at_ms=now_ms,
                until_ms=issued.until_ms,
            )
            self._keep(authority, [*_revoked(self.certified(), name, now_ms), added], now_ms)
            return issued

    def revoke(self, name: EdgeName, now_ms: int) -> None:
        """Take back every certificate of an edge. Raises IdentityError where it has none that holds."""
        with self._changing(now_ms) as authority:
            known = self.certified()
            if not any(one.name == name and not one.revoked_at_ms for one in known):
                raise IdentityError(f"{name} has no certificate that could be revoked")
            self._keep(authority, _revoked(known, name, now_ms), now_ms)

    def issue_centre(self, hosts: tuple[str, ...], now_ms: int, days: int) -> tuple[Issued, Issued]:
        """Certificates for the broker under these names, and for the service at it."""
        with self._changing(now_ms) as authority:
            self._keep(authority, self.certified(), now_ms)
            server = authority.issue_server(hosts, now_ms, days)
            return server, authority.issue_client(self._service, now_ms, days)

    def certified(self) -> list[Certified]:
        """Everything that was issued to edges, oldest first."""
        file = self._path / "issued.json"
        return msgspec.json.decode(file.read_bytes(), type=list[Certified]) if file.exists() else []

    def trust(self) -> bytes:
        """The authority's certificate: what edges and broker know each other by."""
        return (self._path / "ca.pem").read_bytes()

    @contextmanager
    def _changing(self, now_ms: int) -> Iterator[Authority]:
        """The authority, made at the first need; nobody else changes anything meanwhile."""
        try:
            self._path.mkdir(parents=True, exist_ok=True)
            self._path.chmod(0o755)
            with (self._path / "lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield self._authority(now_ms)
        except OSError as error:
            raise ServiceError(f"{error.filename or self._path}: {error.strerror}") from error

    def _authority(self, now_ms: int) -> Authority:
        cert, key = self._path / "ca.pem", self._path / "ca.key"
        if key.exists():
            return Authority.read(cert.read_bytes(), key.read_bytes())
        if cert.exists():
            raise IdentityError(f"{cert} is there, but its key {key} is not: edges that trust it would be lost")
        made = Authority.made(now_ms)
        write(cert, made.cert, READABLE)
        write(key, made.key, PRIVATE)
        return made

    def _keep(self, authority: Authority, certified: list[Certified], now_ms: int) -> None:
        revoked = [(int(one.serial, 16), one.revoked_at_ms) for one in certified if one.revoked_at_ms]
        write(self._path / "issued.json", msgspec.json.format(msgspec.json.encode(certified)), READABLE)
        write(self._path / "crl.pem", authority.revocations(revoked, now_ms), READABLE)
        edges = {one.name for one in certified if not one.revoked_at_ms}
        write(self._path / "acl", rules(self._service, edges).encode(), READABLE)


def write(path: Path, content: bytes, mode: int) -> None:
    """The file in one step, never readable by more than `mode` says."""
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.chmod(mode)
    beside.replace(path)


def _revoked(known: list[Certified], name: EdgeName, now_ms: int) -> list[Certified]:
    """The same with every certificate of that edge taken back."""
    return [
        msgspec.structs.replace(one, revoked_at_ms=now_ms) if one.name == name and not one.revoked_at_ms else one
        for one in known
    ]
