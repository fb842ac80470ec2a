"""Proving who someone is: password and one-time code, throttled, and the session that follows."""

import threading

import msgspec
import structlog

from edge_agent.wire.durations import DAY_MS
from ingest_service.api.context import Context
from ingest_service.api.errors import CodesUnreadable, SignInRefused, TooManyAttempts
from ingest_service.people import totp
from ingest_service.people.hashing import fits, hash_password, hash_token, is_outdated, new_token
from ingest_service.people.sealing import KeyMissing
from ingest_service.people.throttle import FREE_FAILURES_ADDRESS, wait_ms
from ingest_service.store.doing import Doing
from ingest_service.store.people import PersonRow, plain
from ingest_service.store.sessions import How, SessionRow

HASHES_AT_ONCE = 2  # each takes 46 MiB and a core: more at once would only make all of them slow
TEMPORARY_MS = 7 * DAY_MS  # a password that someone else set
MOST_WAITING = 8  # beyond that an attempt is turned away at once, so that a flood of them does not hold up readers
BUSY_S = 2
_log = structlog.get_logger(__name__)
_hashing = threading.BoundedSemaphore(HASHES_AT_ONCE)
_waiting = threading.BoundedSemaphore(HASHES_AT_ONCE + MOST_WAITING)


class Proof(msgspec.Struct, frozen=True):
    """What someone typed, from where and with what browser."""

    account: str
    password: str
    code: str
    address: str
    agent: str


def sign_in(here: Context, proof: Proof) -> str:
    """The new session's secret, for the browser alone. Raises SignInRefused, TooManyAttempts or CodesUnreadable."""
    now_ms, account = here.clock(), plain(proof.account)
    wait = _wait_ms(here, account, proof.address, now_ms)
    if wait:
        raise TooManyAttempts(-(-wait // 1000))
    person = here.people.people.person(account)
    if not _is_right(here, person, proof, now_ms) or person is None:
        here.people.sessions.failed(account, Doing(account[:60] or "nobody", proof.address, now_ms))
        raise SignInRefused("account, password or code is wrong")
    here.people.sessions.succeeded(account)
    if is_outdated(person.password_hash):
        here.people.people.renew_hash(person.id, hash_password(proof.password))
    how = How.SECOND_FACTOR if person.totp_secret else How.PASSWORD
    return begin_session(here, person, how, proof.address, proof.agent)


def begin_session(here: Context, person: PersonRow, how: How, address: str, agent: str) -> str:
    """A new session of someone who proved who they are; the secret is kept nowhere."""
    token, now_ms = new_token(), here.clock()
    row = SessionRow(
        id=hash_token(token),
        person_id=person.id,
        how=how,
        address=address,
        agent=agent[:300],
        created_ms=now_ms,
        seen_ms=now_ms,
        until_ms=now_ms + here.config.people.longest_ms,
        ended_ms=None,
    )
    here.people.sessions.begin(row, Doing(person.name, address, now_ms))
    here.people.directory.forget()
    return token


def is_password_of(person: PersonRow, password: str) -> bool:
    """Whether that is someone's password; takes as long where they have none. Raises TooManyAttempts."""
    return _fits(person.password_hash, password)


def _wait_ms(here: Context, account: str, address: str, now_ms: int) -> int:
    of_account, from_there = here.people.sessions.failures(account, address, now_ms)
    return max(wait_ms(of_account, now_ms), wait_ms(from_there, now_ms, FREE_FAILURES_ADDRESS))


def _is_right(here: Context, person: PersonRow | None, proof: Proof, now_ms: int) -> bool:
    """The same work is done for an account that is not there, or is disabled: nobody learns which there are."""
    known = _fits(person.password_hash if person else "", proof.password)
    if person is None or not known or person.disabled_ms is not None:
        return False
    if person.password_until_ms is not None and now_ms >= person.password_until_ms:
        return False
    return not person.totp_secret or use_code(here, person, proof.code, now_ms)


def _fits(password_hash: str, password: str) -> bool:
    if not _waiting.acquire(blocking=False):
        raise TooManyAttempts(BUSY_S)
    try:
        with _hashing:
            return fits(password_hash, password)
    finally:
        _waiting.release()


def use_code(here: Context, person: PersonRow, code: str, now_ms: int) -> bool:
    """Whether a one-time code is right; each is taken once. Raises CodesUnreadable."""
    try:
        seed = here.people.people.code_seed(person)
    except KeyMissing as error:
        _log.error("one_time_codes_unreadable", account=person.account, problem=str(error))
        raise CodesUnreadable(f"the one-time codes of {person.account} cannot be checked: {error}") from error
    step = totp.matching_step(seed, code.strip(), now_ms, person.totp_step)
    return step is not None and here.people.people.use_totp_step(person.id, step)
