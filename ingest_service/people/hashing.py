"""Passwords as argon2id hashes, secrets of sessions and keys as SHA-256 ones."""

import hashlib
import secrets

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from ingest_service.people.passwords import normalised

_CLEAR_SIGNS = "abcdefghijkmnpqrstuvwxyz23456789"
TOKEN_BYTES = 32  # 256 bits: nobody guesses it, so a fast hash is enough
# OWASP Password Storage Cheat Sheet, first of its equal choices for argon2id: 46 MiB, one pass, one lane.
_HASHER = PasswordHasher(time_cost=1, memory_cost=47_104, parallelism=1, type=Type.ID)
_NOBODY = _HASHER.hash(secrets.token_urlsafe(TOKEN_BYTES))


def hash_password(password: str) -> str:
    """The argon2id hash with its salt and costs."""
    return _HASHER.hash(normalised(password))


def fits(password_hash: str, password: str) -> bool:
    """Whether a password is the one that was hashed; takes as long where there is no hash ("")."""
    try:
        return _HASHER.verify(password_hash or _NOBODY, normalised(password)) and bool(password_hash)
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(password_hash: str) -> bool:
    """Whether it was made with other costs than are asked for now."""
    return _HASHER.check_needs_rehash(password_hash)


def new_password() -> str:
    """A password that people can copy by hand: 100 random bits in four groups, without signs that look alike."""
    groups = ("".join(secrets.choice(_CLEAR_SIGNS) for _ in range(5)) for _ in range(4))
    return "-".join(groups)


def new_token() -> str:
    """A secret of 256 bits, as text that stands in a cookie or a header."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def hash_token(token: str) -> str:
    """What is kept of a secret of 256 bits."""
    return hashlib.sha256(token.encode()).hexdigest()
