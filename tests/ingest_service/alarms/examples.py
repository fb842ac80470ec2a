"""Facts and conditions that the tests of alarms share."""

from zoneinfo import ZoneInfo

from ingest_service.alarms.facts import (
    ClockFacts,
    DeviceBadFacts,
    ExceedanceFacts,
    Facts,
    Name,
    PlumbingFacts,
    ShortfallFacts,
    SilentFacts,
    StuckFacts,
    UnusualFacts,
)
from ingest_service.alarms.lifecycle import Condition, Place
from ingest_service.alarms.vocabulary import Kind

ZONE = ZoneInfo("Asia/Shanghai")
NOON = 1_772_424_000_000  # 2026-03-02 12:00 in Shanghai
HOUR = 3_600_000
HOME = Name("青山殡仪馆", "Qingshan funeral home")
FURNACE = Name("1号火化炉", "Furnace 1")

FACTS: dict[Kind, Facts] = {
    Kind.EXCEEDANCE: ExceedanceFacts(
        home=HOME,
        furnace=FURNACE,
        pollutant=Name("氯化氢", "Hydrogen chloride"),
        mean=45.23,
        peak=112.4,
        limit=30.0,
        unit="mg/m3",
        reference_o2_pct=11.0,
        start_ms=NOON - 2 * HOUR,
        end_ms=NOON - HOUR,
        rule="gb13801-2015-table2@1",
        clause=Name("GB 13801-2015 表2 氯化氢", "GB 13801-2015 Table 2, hydrogen chloride"),
    ),
    Kind.SHORTFALL: ShortfallFacts(
        home=HOME,
        furnace=FURNACE,
        quantity=Name("再燃室温度", "Secondary chamber temperature"),
        mean=812.4,
        lowest=771.0,
        limit=850.0,
        unit="°C",
        start_ms=NOON - 2 * HOUR,
        end_ms=NOON - 2 * HOUR + 600_000,
        rule="de-27-bimschv@1",
        clause=Name("27. BImSchV 第3条第2款", "27. BImSchV section 3 (2)"),
        averaging="ten_minutes",
    ),
    Kind.STUCK_VALUE: StuckFacts(HOME, FURNACE, Name("一氧化碳", "Carbon monoxide"), 12.5, "mg/m3", 65.0, 60.0, NOON),
    Kind.EDGE_SILENT: SilentFacts(HOME, "edge-1", NOON, 60.0),
    Kind.CLOCK_OFFSET: ClockFacts(HOME, "edge-1", -7.25, 5.0, 3.0, NOON),
    Kind.PLUMBING: PlumbingFacts(Name("监测中心", "Monitoring centre"), "ingest-late", "Nothing was stored.", NOON),
    Kind.UNUSUAL: UnusualFacts(
        home=HOME,
        furnace=FURNACE,
        channel=Name("再燃室温度", "Secondary chamber temperature"),
        phase="burnout",
        value=790.0,
        low=850.0,
        high=930.0,
        unit="°C",
        minutes=5,
        score=6.24,
        threshold=4.0,
        since_ms=NOON,
    ),
    Kind.DEVICE_BAD: DeviceBadFacts(HOME, FURNACE, "furnace-1", "timeout", 37, NOON),
}


def condition(kind: Kind, begins_ms: int, ends_ms: int | None = None, key: str = "") -> Condition:
    return Condition(key or f"{kind}:1", Place("qingshan"), FACTS[kind], begins_ms, ends_ms)
