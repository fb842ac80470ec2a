"""What an alarm knows: numbers and names from which its texts are made, in any language. Stored as JSON."""

import msgspec

from ingest_service.alarms.vocabulary import Kind, Locale


class Name(msgspec.Struct, frozen=True):
    """A name in both languages; an empty one falls back to the other."""

    zh: str
    en: str

    def text(self, locale: Locale) -> str:
        """The name in that language."""
        return (self.zh or self.en) if locale is Locale.ZH else (self.en or self.zh)


class ExceedanceFacts(msgspec.Struct, frozen=True, tag_field="kind", tag=Kind.EXCEEDANCE.value):
    """A mean over its limit. `mean`, `peak` (highest minute) and `limit` are in `unit`.

    Concentrations are those of dry gas at reference oxygen; `reference_o2_pct` is None for what is not converted.
    `averaging` is the name of a period in `phrases.toml`.
    """

    home: Name
    furnace: Name
    pollutant: Name
    mean: float
    peak: float
    limit: float
    unit: str
    reference_o2_pct: float | None
    start_ms: int
    end_ms: int
    rule: str
    clause: Name
    averaging: str = "clock_hour"


class ShortfallFacts(msgspec.Struct, frozen=True, tag_field="kind", tag=Kind.SHORTFALL.value):
    """A mean below what it must at least be. `mean`, `lowest` (minute) and `limit` are in `unit`."""

    home: Name
    furnace: Name
    quantity: Name
    mean: float
    lowest: float
    limit: float
    unit: str
    start_ms: int
    end_ms: int
    rule: str
    clause: Name
    averaging: str


class StuckFacts(msgspec.Struct, frozen=True, tag_field="kind", tag=Kind.STUCK_VALUE.value):
    """An analyser that showed `value` unchanged for `held_s` seconds while the furnace burned."""

    home: Name
    furnace: Name
    channel: Name
    value: float
    unit: str
    held_s: float
    threshold_s: float
    since_ms: int


class UnusualFacts(msgspec.Struct, frozen=True, tag_field="kind", tag=Kind.UNUSUAL.value):
    """Minute means outside what the furnace usually shows in that phase, `minutes` in a row since `since_ms`.

    `value` is the newest one, between `low` and `high` it was expected. `score` is how far the middle one of them is
    from the middle of that, in robust standard deviations; `threshold` is how far is still usual.
    """

    home: Name
    furnace: Name
    channel: Name
    phase: str
    value: float
    low: float
    high: float
    unit: str
    minutes: int
    score: float
    threshold: float
    since_ms: int


class SilentFacts(msgspec.Struct, frozen=True, tag_field="kind", tag=Kind.EDGE_SILENT.value):
    """An edge from which nothing has come since `last_seen_ms` (centre's clock)."""

    home: Name
    edge: str
    last_seen_ms: int
    silent_after_s: float


class DeviceBadFacts(msgspec.Struct, frozen=True, tag_field="kind", tag=Kind.DEVICE_BAD.value):
    """A device none of whose `channels` values can be used; `reason` is the commonest label of `wire.Reason`."""

    home: Name
    furnace: Name
    device: str
    reason: str
    channels: int
    since_ms: int


class ClockFacts(msgspec.Struct, frozen=True, tag_field="kind", tag=Kind.CLOCK_OFFSET.value):
    """An edge whose clock is off the centre's by more than `threshold_s`; `offset_s` is positive where it is behind."""

    home: Name
    edge: str
    offset_s: float
    threshold_s: float
    clears_within_s: float
    since_ms: int


class PlumbingFacts(msgspec.Struct, frozen=True, tag_field="kind", tag=Kind.PLUMBING.value):
    """A rule that watches the service itself from outside. `summary` is quoted: it is the watcher's text, not ours."""

    node: Name
    rule: str
    summary: str
    since_ms: int


Facts = (
    ExceedanceFacts
    | ShortfallFacts
    | StuckFacts
    | SilentFacts
    | DeviceBadFacts
    | ClockFacts
    | PlumbingFacts
    | UnusualFacts
)
_DECODER: msgspec.json.Decoder[Facts] = msgspec.json.Decoder(Facts)


def kind_of(facts: Facts) -> Kind:
    """The kind of alarm that these facts belong to."""
    return Kind(str(facts.__struct_config__.tag))


def facts_to_json(facts: Facts) -> str:
    """The facts as the text that is stored."""
    return msgspec.json.encode(facts).decode()


def facts_from_json(text: str) -> Facts:
    """The stored facts; raises msgspec.ValidationError when they are none."""
    return _DECODER.decode(text)
