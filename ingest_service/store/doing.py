"""Who does something and when: what a change of people, tree and keys is recorded with."""

import msgspec

from ingest_service.audit.entry import Action, Entry, state_text


class Doing(msgspec.Struct, frozen=True):
    """By whom, from where and when (ms since 1970 UTC), and why where they said."""

    who: str
    address: str
    at_ms: int
    why: str = ""

    def entry(self, action: Action, subject: str, before: object = None, after: object = None, home: str = "") -> Entry:
        """The entry of the audit trail for that action; never give it a secret."""
        return Entry(
            at_ms=self.at_ms,
            who=self.who,
            address=self.address,
            action=action,
            subject=subject,
            home=home,
            before=state_text(before),
            after=state_text(after),
            why=self.why,
        )
