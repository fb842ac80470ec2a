"""Seals what must be read again, as a seed of one-time codes, so that who has only the database learns nothing of it.

AES-256-GCM with a random nonce; the owner is bound into it, so that no seal fits another person's row. The first key
seals, each of them opens: a new key is put in front, everything is sealed anew, and the old one may go.
"""

import binascii
import hashlib
import secrets
from base64 import b64decode, b64encode
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12
MARK = "sealed"


class KeyMissing(ValueError):
    """There is no key to seal with, or none that opens a seal."""


class Sealer:
    """Seals under the first of these keys. Without any key it seals and opens nothing."""

    def __init__(self, keys: Sequence[bytes] = ()) -> None:
        self._keys = {key_name(key): AESGCM(key) for key in keys}

    def seal(self, secret: bytes, owner: str) -> str:
        """The secret as a text that can be kept. Raises KeyMissing."""
        if not self._keys:
            raise KeyMissing("there is no key to seal with")
        name, key = next(iter(self._keys.items()))
        nonce = secrets.token_bytes(NONCE_BYTES)
        return f"{MARK}:{name}:{b64encode(nonce + key.encrypt(nonce, secret, owner.encode())).decode()}"

    def open(self, sealed: str, owner: str) -> bytes:
        """The secret of a seal. Raises KeyMissing where no key of ours opens it, and where it is another owner's."""
        if not is_sealed(sealed):
            raise KeyMissing("it was not sealed")
        name, _, packed = sealed.removeprefix(f"{MARK}:").partition(":")
        if name not in self._keys:
            raise KeyMissing(f"the key {name} that sealed it is not there")
        try:
            raw = b64decode(packed, validate=True)
            return self._keys[name].decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], owner.encode())
        except (InvalidTag, ValueError) as error:
            raise KeyMissing(f"the key {name} does not open it: it was changed, or belongs to somebody else") from error

    def is_newest(self, sealed: str) -> bool:
        """Whether the first key sealed it."""
        return bool(self._keys) and sealed.startswith(f"{MARK}:{next(iter(self._keys))}:")


def is_sealed(text: str) -> bool:
    """Whether a text is a seal, and not the secret itself."""
    return text.startswith(f"{MARK}:")


def key_name(key: bytes) -> str:
    """What a seal calls its key; tells nothing of it."""
    return hashlib.sha256(MARK.encode() + key).hexdigest()[:8]


def new_key() -> str:
    """A new key as text."""
    return b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def keys_in(text: str) -> tuple[bytes, ...]:
    """The keys of a text, the newest first: base64 of 32 bytes each, on lines of their own. Raises ValueError."""
    keys = tuple(map(_key, text.split()))
    if not keys:
        raise ValueError("holds no key")
    return keys


def _key(word: str) -> bytes:
    try:
        key = b64decode(word, validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError(f"holds something that is no key of {KEY_BYTES} bytes in base64")
    return key
