"""A small OpenID Connect provider: discovery, keys, authorisation code with PKCE, RS256 tokens; a process of its own.

Whoever asks to be let in says with `as` who they are and with `groups` what they belong to; `fault` names what shall be
wrong with the identity token.
"""

import base64
import hashlib
import json
import secrets
import sys
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

CLIENT, SECRET = "clearstack", "provider-secret"
FAULTS = ("nonce", "audience", "issuer", "expired", "unsigned", "foreign_key")


class Provider:
    """The provider's state: its keys, and what was granted for which code."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.key = RSAKey.generate_key(2048, parameters={"kid": "current"})
        self.foreign = RSAKey.generate_key(2048, parameters={"kid": "current"})
        self.codes: dict[str, dict[str, str]] = {}

    def discovery(self) -> dict[str, object]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "code_challenge_methods_supported": ["S256"],
        }

    def keys(self) -> dict[str, object]:
        return dict(KeySet([self.key]).as_dict(private=False))

    def authorise(self, asked: dict[str, str]) -> str:
        """Where the browser goes back to, with a code."""
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, form: dict[str, str], authorization: str) -> dict[str, object] | None:
        """A token for a code that is used once, by the client, with the verifier and address it began with."""
        asked = self.codes.pop(form.get("code", ""), None)
        proof = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if asked is None or authorization != f"Basic {proof}" or form.get("redirect_uri") != asked["redirect_uri"]:
            return None
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).decode().rstrip("=") != asked["code_challenge"]:
            return None
        return {"access_token": secrets.token_urlsafe(16), "token_type": "Bearer", "id_token": self._identity(asked)}

    def _identity(self, asked: dict[str, str]) -> str:
        fault, now = asked.get("fault", ""), int(time.time())
        user = asked.get("as", "someone")
        claims = {
            "iss": "https://elsewhere.example" if fault == "issuer" else self.issuer,
            "aud": "another client" if fault == "audience" else CLIENT,
            "sub": f"subject-{user}",
            "preferred_username": user,
            "name": user.title(),
            "groups": [group for group in asked.get("groups", "").split(",") if group],
            "nonce": "another nonce" if fault == "nonce" else asked["nonce"],
            "iat": now - 7200 if fault == "expired" else now,
            "exp": now - 3600 if fault == "expired" else now + 300,
        }
        if fault == "unsigned":
            return f"{_encoded({'alg': 'none'})}.{_encoded(claims)}."
        return jwt.encode(
            {"alg": "RS256", "kid": "current"}, claims, self.foreign if fault == "foreign_key" else self.key
        )


class Handler(BaseHTTPRequestHandler):
    """HTTP to the provider."""

    provider: Provider

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/authorize":
            self.send_response(302)
            self.send_header("Location", self.provider.authorise(_flat(parts.query)))
            self.end_headers()
        elif parts.path == "/.well-known/openid-configuration":
            self._answer(200, self.provider.discovery())
        else:
            self._answer(200, self.provider.keys())

    def do_POST(self) -> None:
        form = _flat(self.rfile.read(int(self.headers["Content-Length"])).decode())
        token = self.provider.token(form, self.headers.get("Authorization", ""))
        self._answer(200 if token else 400, token or {"error": "invalid_grant"})

    def log_message(self, *_words: object) -> None:
        pass

    def _answer(self, status: int, body: dict[str, object]) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)


def _flat(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}


def _encoded(part: Mapping[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


if __name__ == "__main__":
    port = int(sys.argv[1])
    Handler.provider = Provider(f"http://127.0.0.1:{port}")
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    sys.stdout.write("listening\n")
    sys.stdout.flush()
    server.serve_forever()
