"""What one entry of the audit trail says, and how the state before and after a change is written in it."""

from enum import StrEnum, unique

import msgspec

MOST_CHARACTERS = 4_000  # of one field: what a stranger types into a form must not fill the disk


@unique
class Action(StrEnum):
    """What somebody did. A later version may have written others."""

    SIGNED_IN = "signed_in"
    SIGN_IN_REFUSED = "sign_in_refused"
    SIGNED_OUT = "signed_out"
    SESSION_REVOKED = "session_revoked"
    PERSON_ADDED = "person_added"
    PERSON_CHANGED = "person_changed"
    PERSON_DISABLED = "person_disabled"
    PASSWORD_CHANGED = "password_changed"
    SECOND_FACTOR_CHANGED = "second_factor_changed"
    GRANTED = "granted"
    GRANT_WITHDRAWN = "grant_withdrawn"
    KEY_ADDED = "key_added"
    KEY_REVOKED = "key_revoked"
    KEY_USED = "key_used"
    TREE_CHANGED = "tree_changed"
    EDGE_ADMITTED = "edge_admitted"
    EDGE_ENROLLED = "edge_enrolled"
    EDGE_REVOKED = "edge_revoked"
    ALARM_ACKNOWLEDGED = "alarm_acknowledged"
    ALARM_SHELVED = "alarm_shelved"
    MARK_SET = "mark_set"
    MARK_WITHDRAWN = "mark_withdrawn"
    REMARK_ADDED = "remark_added"
    LIMITS_CHANGED = "limits_changed"
    REPORT_SIGNED = "report_signed"
    EXPORTED = "exported"
    TRAIL_EXPORTED = "trail_exported"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """Who did what, when (ms since 1970 UTC, centre's clock) and from where; what was before and after, and why.

    `action` is an Action. `subject` names one thing ("alarm 12"), `home` whose it is ("" for the whole city),
    `before` and `after` are JSON of what changed ("" where there is nothing), `why` is the person's own reason.
    """

    at_ms: int
    who: str
    address: str
    action: str
    subject: str
    home: str = ""
    before: str = ""
    after: str = ""
    why: str = ""


def state_text(state: object) -> str:
    """A struct or a mapping as JSON for `before` and `after`; "" for None. Never give it a secret."""
    return "" if state is None else msgspec.json.encode(state, order="sorted").decode()


def fit_to_keep(entry: Entry) -> Entry:
    """The entry as every database takes it: no half characters, no NUL, no field longer than MOST_CHARACTERS."""
    texts = {field: _fit(value) for field, value in msgspec.structs.asdict(entry).items() if isinstance(value, str)}
    return msgspec.structs.replace(entry, **texts)


def _fit(text: str) -> str:
    clean = text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
    return clean if len(clean) <= MOST_CHARACTERS else clean[: MOST_CHARACTERS - 1] + "…"
