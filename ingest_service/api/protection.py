"""What every answer carries so that a browser trusts only this page, and which forms are not taken."""

from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = "; ".join((
    "default-src 'none'",
    "object-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
))  # fmt: skip
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",  # but for what says otherwise: files whose address names their content
    "Permissions-Policy": ", ".join(
        f"{feature}=()" for feature in ("camera", "display-capture", "geolocation", "microphone", "payment", "usb")
    ),
}
STRICT_TRANSPORT = "max-age=31536000; includeSubDomains"  # a year: from then on browsers come over TLS only
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


class SecurityHeaders:
    """Puts the headers on every answer; streams pass through untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if scope["scheme"] == "https":
                    headers.setdefault("Strict-Transport-Security", STRICT_TRANSPORT)
            await send(message)

        await self._app(scope, receive, send_with_headers)


class OwnFormsOnly:
    """Refuses a change that another site's page asks for; programs send no Sec-Fetch-Site and pass."""

    def __init__(self, app: ASGIApp, refusal: Callable[[Request], Response]) -> None:
        self._app = app
        self._refusal = refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        request = Request(scope, receive) if scope["type"] == "http" else None
        if request and is_cross_site(request.method, request.headers.get("sec-fetch-site")):
            await self._refusal(request)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def is_cross_site(method: str, fetch_site: str | None) -> bool:
    """True for a change that another site's page asks for."""
    return method not in SAFE_METHODS and fetch_site in ("cross-site", "same-site")
