"""Walks over the tokens of a statement: what every clause needs."""

import re

from ingest_service.influxql.tokens import Kind, NotUnderstood, Token, tokens

_LONGEST_PATTERN = 20_000  # a variable may hold hundreds of homes
# Python's patterns take for ever on the wrong text where groups are repeated, as in (a+)+, and long where much is.
_REPEATED_GROUP, _REPEATED = re.compile(r"\)[*+{]"), re.compile(r"[*+{]")
_MOST_REPEATED = 3


class Reading:
    """The tokens of a text, the first that is not read yet in front. Raises NotUnderstood."""

    def __init__(self, text: str) -> None:
        self._tokens, self._at = tokens(text), 0

    @property
    def next(self) -> Token:
        """The token in front."""
        return self._tokens[self._at]

    def stands(self, kind: Kind) -> bool:
        """True where a token of that kind is in front."""
        return self.next.kind is kind

    def take(self) -> Token:
        """The token in front; the one after it moves up."""
        token = self.next
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token

    def skip(self, *texts: str) -> bool:
        """True, and taken, where these keywords or signs stand in front."""
        ahead = self._tokens[self._at : self._at + len(texts)]
        if [token.word or token.text * (token.kind is Kind.SIGN) for token in ahead] != list(texts):
            return False
        self._at += len(texts)
        return True

    def expect(self, text: str) -> None:
        """Take that keyword or sign."""
        if not self.skip(text):
            raise self.wrong(text)

    def name(self) -> str:
        """A name, bare or quoted."""
        return self._of(Kind.NAME, "a name").text

    def number(self) -> float:
        """A number with or without a sign before it."""
        sign = -1.0 if self.skip("-") else 1.0
        return sign * float(self._of(Kind.NUMBER, "a number").text)

    def pattern(self) -> re.Pattern[str]:
        """A regular expression."""
        text = self._of(Kind.REGEX, "a regular expression").text
        plain = re.sub(r"\\.", "", text)
        if (
            len(text) > _LONGEST_PATTERN
            or _REPEATED_GROUP.search(plain)
            or len(_REPEATED.findall(plain)) > _MOST_REPEATED
        ):
            raise NotUnderstood(f"regular expression with a repeated group, or too much that is repeated: {text[:40]}")
        try:
            return re.compile(text)
        except re.error as error:
            raise NotUnderstood(f"regular expression {text[:40]}: {error}") from error

    def wrong(self, wanted: str) -> NotUnderstood:
        """The error that something else stands in front."""
        found = self.next.text or "the end"
        return NotUnderstood(f"error parsing query: found {found}, expected {wanted}")

    def _of(self, kind: Kind, wanted: str) -> Token:
        if not self.stands(kind):
            raise self.wrong(wanted)
        return self.take()
