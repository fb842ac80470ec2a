"""Time-based one-time codes (RFC 6238: SHA-1, 30 s, 6 digits). Pure."""

import base64
import hashlib
import hmac
import struct
from urllib.parse import quote

PERIOD_S = 30
DIGITS = 6
SECRET_BYTES = 20
TOLERATED = (0, -1, 1)  # steps: a phone's clock may be off by one


def code_at(secret: bytes, at_ms: int, digits: int = DIGITS) -> str:
    """The code of a moment (ms since 1970 UTC)."""
    return _code(secret, step_of(at_ms), digits)


def step_of(at_ms: int) -> int:
    """The number of the 30 s step in which a moment lies."""
    return at_ms // (PERIOD_S * 1000)


def matching_step(secret: bytes, code: str, at_ms: int, newer_than: int) -> int | None:
    """The step to which a code belongs; None for a wrong one and for one that is not newer than the last used."""
    steps = [step_of(at_ms) + shift for shift in TOLERATED]
    matching = [step for step in steps if hmac.compare_digest(_code(secret, step, DIGITS), code)]
    return next((step for step in matching if step > newer_than), None)


def address(secret: bytes, account: str, issuer: str) -> str:
    """What an authenticator app reads: the otpauth address of a secret."""
    label = quote(f"{issuer}:{account}")
    return f"otpauth://totp/{label}?secret={text(secret)}&issuer={quote(issuer)}&digits={DIGITS}&period={PERIOD_S}"


def text(secret: bytes) -> str:
    """The secret as people type it (base32, no padding)."""
    return base64.b32encode(secret).decode().rstrip("=")


def secret_of(text: str) -> bytes:
    """The secret that people typed (base32). Raises ValueError."""
    return base64.b32decode(text + "=" * (-len(text) % 8))


def _code(secret: bytes, step: int, digits: int) -> str:
    digest = hmac.new(secret, struct.pack(">Q", step), hashlib.sha1).digest()
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**digits:0{digits}d}"
