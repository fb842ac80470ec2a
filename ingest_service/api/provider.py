"""Signing in through an OpenID Connect provider: authorisation code with PKCE, state and nonce (Core 1.0, RFC 7636)."""

import ssl
from collections.abc import Mapping
from typing import Any

import httpx
import msgspec
from authlib.common.errors import AuthlibBaseError
from authlib.oauth2.client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from ingest_service.api.context import Context
from ingest_service.api.errors import ProviderRefused
from ingest_service.credentials import secret
from ingest_service.people.hashing import hash_token, new_token
from ingest_service.people.settings import Provider
from ingest_service.store.sessions import Flow

FLOW_MS = 10 * 60_000
LEEWAY_S = 60  # the provider's clock may differ from ours by so much
ALGORITHMS = ["RS256", "PS256", "ES256"]  # never "none", never one with a shared secret


class Endpoints(msgspec.Struct, frozen=True):
    """What the provider's discovery document says, as far as it is needed."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str


class Known(msgspec.Struct, frozen=True):
    """Who someone is, as the provider says."""

    issuer: str
    subject: str
    account: str
    name: str
    groups: tuple[str, ...]


class Going(msgspec.Struct, frozen=True):
    """Where the browser is sent, and what it must bring back."""

    url: str
    state: str


def go_to(here: Context, provider: Provider, next_path: str) -> Going:
    """Begin a sign-in. Raises ProviderRefused where the provider cannot be asked."""
    state, verifier, nonce, now_ms = new_token(), new_token(), new_token(), here.clock()
    with _http(provider) as http:
        client = _client(provider, http)
        url, _ = client.create_authorization_url(
            _endpoints(provider, http).authorization_endpoint, state, verifier, nonce=nonce
        )
    flow = Flow(
        state_hash=hash_token(state), verifier=verifier, nonce=nonce, next_path=next_path, until_ms=now_ms + FLOW_MS
    )
    here.people.sessions.begin_flow(flow, now_ms)
    return Going(url, state)


def come_back(here: Context, provider: Provider, code: str, state: str) -> tuple[Known, str]:
    """Who someone is, and where they wanted to go. Raises ProviderRefused."""
    now_ms = here.clock()
    flow = here.people.sessions.take_flow(hash_token(state), now_ms)
    if flow is None:
        raise ProviderRefused("this sign-in was not begun here, was used already or took too long")
    with _http(provider) as http:
        endpoints = _endpoints(provider, http)
        token = _fetched(provider, http, endpoints, code, flow.verifier)
        claims = _claims(provider, http, endpoints, token, flow.nonce, now_ms // 1000)
    return _known(provider, claims), flow.next_path


def _http(provider: Provider) -> httpx.Client:
    trusted = ssl.create_default_context(cafile=provider.ca_file or None)
    return httpx.Client(timeout=provider.timeout_s, verify=trusted, trust_env=False)


def _client(provider: Provider, http: httpx.Client) -> Any:
    return OAuth2Client(
        session=http,
        client_id=provider.client_id,
        redirect_uri=provider.redirect_url,
        scope=" ".join(provider.scopes),
        code_challenge_method="S256",
    )


def _endpoints(provider: Provider, http: httpx.Client) -> Endpoints:
    raw = _got(http, f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration")
    try:
        endpoints = msgspec.json.decode(raw, type=Endpoints)
    except msgspec.DecodeError as error:
        raise ProviderRefused(f"the discovery document of {provider.issuer} is none: {error}") from error
    if endpoints.issuer != provider.issuer:
        raise ProviderRefused(f"{provider.issuer} calls itself {endpoints.issuer}")
    return endpoints


def _fetched(
    provider: Provider, http: httpx.Client, endpoints: Endpoints, code: str, verifier: str
) -> Mapping[str, Any]:
    """The token for a code; a client without a secret names itself in the form, one with a secret proves itself."""
    password = secret(provider.client_secret_env, provider.client_secret_file, "", "people.provider.client_secret")
    auth: Any = (provider.client_id, password) if password else httpx.Auth()
    named = {} if password else {"client_id": provider.client_id}
    try:
        token: Mapping[str, Any] = _client(provider, http).fetch_token(
            endpoints.token_endpoint,
            grant_type="authorization_code",
            code=code,
            redirect_uri=provider.redirect_url,
            code_verifier=verifier,
            auth=auth,
            **named,
        )
    except (httpx.HTTPError, AuthlibBaseError, ValueError) as error:
        raise ProviderRefused(f"{provider.issuer} gave no token: {error}") from error
    return token


def _claims(
    provider: Provider, http: httpx.Client, endpoints: Endpoints, token: Mapping[str, Any], nonce: str, now_s: int
) -> Mapping[str, Any]:
    """What the identity token says, once its signature and every claim that guards it are right."""
    asked = {
        "iss": {"essential": True, "value": provider.issuer},
        "aud": {"essential": True, "value": provider.client_id},
    }
    params = {"nonce": nonce, "client_id": provider.client_id, "access_token": token.get("access_token")}
    try:
        keys = KeySet.import_key_set(msgspec.json.decode(_got(http, endpoints.jwks_uri)))
        decoded = jwt.decode(str(token.get("id_token", "")), keys, algorithms=ALGORITHMS)
        claims = CodeIDToken(decoded.claims, decoded.header, options=asked, params=params)
        claims.validate(now=now_s, leeway=LEEWAY_S)
    except (JoseError, AuthlibBaseError, ValueError, KeyError, TypeError) as error:
        raise ProviderRefused(f"the identity token of {provider.issuer} is not right: {error}") from error
    return dict(claims)


def _known(provider: Provider, claims: Mapping[str, Any]) -> Known:
    account = str(claims.get("preferred_username") or claims.get("email") or claims["sub"])
    groups = claims.get(provider.groups_claim, [])
    return Known(
        issuer=provider.issuer,
        subject=str(claims["sub"])[:200],
        account=account[:150],
        name=str(claims.get("name") or account)[:60],
        groups=tuple(str(group) for group in groups) if isinstance(groups, list) else (),
    )


def _got(http: httpx.Client, url: str) -> bytes:
    try:
        return http.get(url).raise_for_status().content
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ProviderRefused(f"{url}: {error}") from error
