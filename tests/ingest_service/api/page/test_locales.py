"""Both languages say the same; the page asks for nothing that they lack, and they hold nothing that it never asks."""

import re
from importlib.resources import files
from string import Formatter

import pytest

from edge_agent.wire.gap import GapReason
from edge_agent.wire.quantity import PHASES
from edge_agent.wire.sample import Reason
from ingest_service.alarms.messages import INBOX_ADDRESS, Medium
from ingest_service.alarms.vocabulary import Kind, Locale, Severity, State, Step
from ingest_service.api.page.account import NOTICES as ACCOUNT_NOTICES
from ingest_service.api.page.account import WRONG_CODE
from ingest_service.api.page.alarms import NOTICES
from ingest_service.api.page.areas import Level as AreaLevel
from ingest_service.api.page.asked_homes import Wanted
from ingest_service.api.page.cremations import FIGURES
from ingest_service.api.page.data import Fact
from ingest_service.api.page.energy import Span
from ingest_service.api.page.furnace import GROUPS
from ingest_service.api.page.levels import Level
from ingest_service.api.page.password import WRONG_OLD, WRONG_SAME
from ingest_service.api.page.rendering import NAVIGATION
from ingest_service.api.page.shown import CONTACTS
from ingest_service.api.page.standing import Stand
from ingest_service.api.page.texts import texts
from ingest_service.api.page.tiles import TILE_VALUES
from ingest_service.api.page.tree import MADE_BY_HAND
from ingest_service.api.page.trend_view import Range
from ingest_service.audit.entry import Action
from ingest_service.config import StoreKind
from ingest_service.cycles.cycle import FoundBy, StartKind
from ingest_service.emissions.averages import Averaging
from ingest_service.emissions.charging import Advice
from ingest_service.emissions.limits import Cause, Verdict
from ingest_service.emissions.marks import STATES
from ingest_service.emissions.rulepack import Pollutant
from ingest_service.emissions.vocabulary import Compared, Verified
from ingest_service.intake.admission import Rejection
from ingest_service.people.nodes import NodeKind
from ingest_service.people.passwords import Weakness
from ingest_service.people.roles import KeyUse, Role
from ingest_service.reports.dosing_sheet import COLUMNS as DOSING_COLUMNS
from ingest_service.reports.events import COLUMNS as EVENT_COLUMNS
from ingest_service.reports.filling_sheets import COLUMNS as FILLING_COLUMNS
from ingest_service.reports.model import Stage
from ingest_service.reports.results import COLUMNS as RESULT_COLUMNS
from ingest_service.reports.sheets import COVER, HANDLING, PLAIN_COLUMNS, RULE_COLUMNS, SIGNATURES
from ingest_service.reports.span import Kind as ReportKind
from ingest_service.store.deliveries import DeliveryState
from ingest_service.store.marks import Act
from ingest_service.store.remarks import ExceedanceCause
from ingest_service.store.sessions import How
from ingest_service.workers.judge import Why
from tests.support.city import City

ZH, EN = texts(Locale.ZH), texts(Locale.EN)
KEYS = ZH.keys()
PAGE = files("ingest_service.api.page")
REPORTS = files("ingest_service.reports")
# Tables whose keys are codes: what they must hold.
CODES: dict[str, set[str]] = {
    "quality": {reason.label for reason in Reason},
    "phase": set(PHASES.values()),
    "state": {word for words in CONTACTS.values() for word in words},
    "severity": set(Severity),
    "kind": set(Kind),
    "alarm_mark": set(Kind),
    "standing": {*Stand, "rest", "doubtful", "and"},
    "alarm_state": set(State),
    "step": set(Step),
    "channel": set(Medium),
    "receiver": {INBOX_ADDRESS},
    "delivery": {*DeliveryState, "attempts"},
    "verdict": {verdict.label for verdict in Verdict},
    "cause": {cause.label for cause in Cause} - {"none"},
    "short": {*TILE_VALUES, *Pollutant},
    "group": {*GROUPS, "emissions"},
    "range": set(Range),
    "notice": set(NOTICES.values()),
    "gap": set(GapReason),
    "store_kind": set(StoreKind),
    "averaging": set(Averaging),
    "verified": set(Verified),
    "compared": set(Compared),
    "revision_reason": set(Why),
    "exceedance_cause": set(ExceedanceCause),
    "start_kind": set(StartKind),
    "found_by": set(FoundBy),
    "cremation_figure": set(FIGURES),
    "energy_span": set(Span),
    "plant_state": set(STATES),
    "mark": {"holds", "replaced", "withdrawn"},
    "mark_act": set(Act),
    "calendar": {*Level, "worst_short", "marked", "and", "count"},
    "charging": set(Advice),
    "cremations_judged": {Level.SHORT, Level.WITHIN, Level.LOST, Level.EXCEEDED},
    "role": set(Role),
    "audit_action": set(Action),
    "how": set(How),
    "use": set(KeyUse),
    "node": set(NodeKind),
    "weakness": {*Weakness, WRONG_OLD, WRONG_CODE, WRONG_SAME},
    "home_state": set(Wanted),
    "area": set(AreaLevel),
    "no_area": set(AreaLevel),
    "calm_areas": set(AreaLevel),
    "more_areas": set(AreaLevel),
    "rejection": {rejection.label for rejection in Rejection} - {"none"},
}


def used_keys() -> set[str]:
    """The keys that templates and modules name in full."""
    folders = [PAGE.joinpath("templates"), REPORTS.joinpath("templates")]
    templates = [entry.read_text(encoding="utf-8") for folder in folders for entry in folder.iterdir()]
    modules = [
        entry.read_text(encoding="utf-8")
        for folder in (PAGE, REPORTS)
        for entry in folder.iterdir()
        if entry.name.endswith(".py")
    ]
    found = re.findall(r"""\b(?:t|words)\(["']([a-z_0-9]+\.[a-z_0-9]+)["'](?! ~)""", "\n".join(templates + modules))
    pairs = re.findall(
        r't\("([a-z_]+\.[a-z_0-9]+)" if [^)]*? else "([a-z_]+\.[a-z_0-9]+)"', "\n".join(templates + modules)
    )
    return {*found, *(key for pair in pairs for key in pair)}


def coded_keys() -> set[str]:
    """The keys that are made of a table and a code."""
    return {f"{table}.{code}" for table, codes in CODES.items() for code in codes} | {
        *(f"nav.{item.key}" for item in NAVIGATION),
        *(f"ack_reason.{reason}" for reason in ZH.under("ack_reason")),
        *(
            f"error.{part}_{error}"
            for part in ("title", "text")
            for error in ("not_found", "invalid", "unavailable", "forbidden", "cross_site")
        ),
        *(f"sign_in.wrong_{wrong}" for wrong in ("refused", "wait", "codes", "provider")),
        *(f"people.part_{part}" for part in ("people", "tree", "keys")),
        *(f"tree.add_{kind}" for kind in MADE_BY_HAND),
        *(f"account.done_{notice}" for notice in ACCOUNT_NOTICES),
        *report_keys(),
    }


def report_keys() -> set[str]:
    """The keys of reports that are made of a table and a name: tables, columns, cover, statements."""
    tables = (*RESULT_COLUMNS.values(), *FILLING_COLUMNS.values(), *EVENT_COLUMNS.values())
    names = " ".join((*tables, DOSING_COLUMNS, RULE_COLUMNS, *PLAIN_COLUMNS)).split()
    keys = {f"column.{name}" for name in (*names, "furnace", "start")}
    keys |= {f"report.{prefix}{key}" for key in EVENT_COLUMNS for prefix in ("", "nil_")}
    keys |= {f"report.{name}" for name in (*SIGNATURES, *Stage)} | {f"report.title_{kind}" for kind in ReportKind}
    keys |= {f"handling.{name}{part}" for name in HANDLING for part in ("", "_name")}
    return keys | {f"report.cover_{name}" for name in COVER}


def facts_in(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_both_languages_have_the_same_keys_in_the_same_order() -> None:
    assert ZH.keys() == EN.keys()


@pytest.mark.parametrize("key", KEYS)
def test_both_languages_take_the_same_facts_and_are_not_empty(key: str) -> None:
    assert facts_in(ZH(key)) == facts_in(EN(key))
    assert ZH(key).strip()
    assert EN(key).strip()


@pytest.mark.parametrize("table", CODES)
def test_every_code_has_its_word_and_no_word_is_without_a_code(table: str) -> None:
    assert set(ZH.under(table)) == CODES[table]


def test_every_key_that_is_used_exists() -> None:
    assert used_keys() - set(ZH.keys()) == set()


def test_no_text_is_unused(city: City) -> None:
    data_page = {f"check.{check.name}" for check in city.context().checks}
    module = PAGE.joinpath("data.py").read_text(encoding="utf-8")
    facts = {
        key for key in KEYS if key.partition(".")[0] in ("intake", "store") and f'"{key.partition(".")[2]}"' in module
    }
    assert Fact.__struct_fields__ == ("key", "text")
    assert set(ZH.keys()) - used_keys() - coded_keys() - data_page - facts == set()


def test_no_chinese_stands_in_the_english_texts_but_its_own_name() -> None:
    chinese = [key for key in KEYS if re.search(r"[\u4e00-\u9fff]", EN(key))]
    assert chinese == ["language.other"]


def test_a_name_falls_back_to_the_other_language_before_its_own_code() -> None:
    assert ZH.either("北山", "Beishan", "b1") == "北山"
    assert EN.either("北山", "", "b1") == "北山"
    assert EN.either("", "", "b1") == "b1"


def test_an_unknown_code_is_shown_as_it_is() -> None:
    assert ZH.known("cause", "something_new") == "something_new"


def test_the_reason_of_a_note_is_translated_and_the_rest_kept() -> None:
    assert EN.note("dosing_restored: valve 3") == "Dosing restored: valve 3"
    assert ZH.note("dosing_restored") == "已恢复投药"
    assert EN.note("spoke to the operator") == "spoke to the operator"
