"""The part of the configuration that says who is let in; every default stands here with its unit and reason."""

from collections.abc import Iterator
from enum import StrEnum
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

import msgspec

from ingest_service.people.decision import Admission
from ingest_service.people.nodes import GRANTABLE
from ingest_service.people.roles import Role


class SignIn(StrEnum):
    """Whether people must say who they are. Off: whoever sits at this very machine may do everything."""

    REQUIRED = "required"
    OFF = "off"


class GroupGrant(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a group of the identity provider brings: a role at a node of the tree, as "district:chengbei"."""

    group: str
    role: Role
    node: str = "all"


class Provider(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An OpenID Connect provider; the client secret stands in the environment variable that is named."""

    issuer: str
    client_id: str
    redirect_url: str  # https://<this service>/sign-in/provider/back, as it is registered with the provider
    client_secret_env: str = ""
    client_secret_file: str = ""
    name: str = "OpenID Connect"
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    groups_claim: str = "groups"
    ca_file: str = ""
    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=60)] = 10.0
    grant: tuple[GroupGrant, ...] = ()


class People(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who is let in, for how long, and which homes are taken."""

    sign_in: SignIn = SignIn.REQUIRED
    admit: Admission = Admission.ALL
    # A phone on shift: signed in at its beginning, still so at its end, and once a week anew.
    session_idle_h: Annotated[float, msgspec.Meta(gt=0, le=720)] = 16.0
    session_days: Annotated[float, msgspec.Meta(gt=0, le=90)] = 7.0
    provider: Provider | None = None

    @property
    def idle_ms(self) -> int:
        """After so long without use a session has ended."""
        return round(self.session_idle_h * 3_600_000)

    @property
    def longest_ms(self) -> int:
        """After so long it has ended however much it was used."""
        return round(self.session_days * 86_400_000)


def unfit(people: People, host: str) -> Iterator[tuple[str, str, str]]:
    """What no type can say, of a service that listens on `host`: key, problem and what is allowed."""
    if people.sign_in is SignIn.OFF and not is_loopback(host):
        yield "people.sign_in", f"off would let everyone in who reaches {host}", "required, or http.host = 127.0.0.1"
    if people.provider is None:
        return
    for key in ("issuer", "redirect_url"):
        if not _is_safe_address(getattr(people.provider, key)):
            problem = f"{getattr(people.provider, key)!r} is no address that can be trusted"
            yield f"people.provider.{key}", problem, "https://..., or http:// on this machine"
    for at, grant in enumerate(people.provider.grant):
        kind = grant.node.partition(":")[0]
        if kind not in GRANTABLE:
            problem = f"no role can be granted at {grant.node!r}"
            yield f"people.provider.grant[{at}].node", problem, "all, city:..., district:..., home:..."


def _is_safe_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and (
            parts.scheme == "https" or (parts.scheme == "http" and is_loopback(str(parts.hostname)))
        )
    except ValueError:  # a port that is no number, half an IPv6 address
        return False


def is_loopback(host: str) -> bool:
    """Whether a host, by name or address and with or without a port, is this very machine."""
    bare = host[1:].partition("]")[0] if host.startswith("[") else host.rpartition(":")[0] or host
    bare = host if host.count(":") > 1 and not host.startswith("[") else bare
    if bare.casefold() == "localhost":
        return True
    try:
        return ip_address(bare).is_loopback
    except ValueError:
        return False
