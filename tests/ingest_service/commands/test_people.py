"""`ingest-service tree`, `user` and `key`: what whoever runs the service types."""

import io
import re
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from ingest_service.__main__ import main
from ingest_service.people.decision import Admission
from ingest_service.people.hashing import fits
from ingest_service.people.sealing import Sealer
from ingest_service.store.audit import AuditTrail
from ingest_service.store.database import database_url, open_database
from ingest_service.store.organisation import PeopleStores, open_people
from ingest_service.store.people_tables import Person

TREE = '[[city]]\nid = "jc"\n[[city.district]]\nid = "north"\n[[city.district.home]]\nid = "beishan"\n'


class Site:
    """A folder with a service's file, and what was printed."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._folder, self._capsys = folder, capsys
        self._config = folder / "service.toml"
        self._config.write_text('[storage]\nfolder = "."\n', encoding="utf-8")
        self.tree = folder / "tree.toml"
        self.tree.write_text(TREE, encoding="utf-8")

    def run(self, command: str, action: str, *words: str) -> tuple[int, str]:
        code = main([command, action, str(self._config), *words])
        told = self._capsys.readouterr()
        return code, told.out + told.err

    @property
    def engine(self) -> Engine:
        return open_database(database_url(self._folder, ""))

    @property
    def stores(self) -> PeopleStores:
        engine = self.engine
        return open_people(engine, AuditTrail(engine), Admission.LISTED)


@pytest.fixture
def site(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Site:
    made = Site(tmp_path, capsys)
    assert made.run("tree", "apply", str(made.tree))[0] == 0
    return made


def test_a_tree_is_compared_applied_and_shown_as_the_same_file(site: Site) -> None:
    assert site.run("tree", "diff", str(site.tree)) == (0, "")
    site.tree.write_text(TREE + '[[city.district.home]]\nid = "nanping"\n', encoding="utf-8")
    assert site.run("tree", "diff", str(site.tree)) == (1, "+ home:nanping below district:north\n")
    assert site.run("tree", "apply", str(site.tree))[1].endswith("1 changes\n")
    code, shown = site.run("tree", "show")
    site.tree.write_text(shown, encoding="utf-8")
    assert (code, site.run("tree", "diff", str(site.tree))) == (0, (0, ""))


def test_what_a_file_leaves_out_goes_only_when_that_is_said(site: Site) -> None:
    site.tree.write_text("", encoding="utf-8")
    code, told = site.run("tree", "apply", str(site.tree))
    assert code == 2
    assert "leaves out home:beishan, district:north, city:jc (allowed: --remove lets them go)" in told
    assert site.run("tree", "apply", str(site.tree), "--remove")[0] == 0
    assert site.stores.tree.tree().homes_below("all") == frozenset()


def test_who_could_see_a_home_is_printed(site: Site) -> None:
    site.run("user", "add", "Li", "--role", "supervisor", "--node", "district:north")
    code, told = site.run("tree", "witnesses", "beishan")
    assert code == 0
    stood, saw = told.splitlines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d  now +stood below district:north", stood)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d  now +li  supervisor at district:north", saw)
    assert site.run("tree", "witnesses", "nowhere")[0] == 2


def test_a_new_account_has_the_password_that_is_printed_and_its_role(site: Site) -> None:
    code, told = site.run("user", "add", "Li", "--name", "李敏", "--role", "engineer", "--node", "home:beishan")
    found = re.fullmatch(r"li: may sign in, password (\S+) \(shown once, to be changed within 7 days\)\n", told)
    assert found
    person = site.stores.people.person("li")
    assert person is not None
    assert fits(person.password_hash, found[1])
    assert (code, person.name, person.password_until_ms is not None) == (0, "李敏", True)
    assert "li  李敏  engineer at home:beishan" in site.run("user", "list")[1]


def test_a_password_can_be_piped_in_and_a_weak_one_is_refused(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.run("user", "add", "li")
    monkeypatch.setattr("sys.stdin", io.StringIO("password2026\n"))
    code, told = site.run("user", "reset", "li", "--ask")
    assert (code, "the password is refused: common" in told) == (2, True)
    monkeypatch.setattr("sys.stdin", io.StringIO("lime feeder refilled\n"))
    assert site.run("user", "reset", "li", "--ask") == (0, "li: may sign in\n")
    person = site.stores.people.person("li")
    assert person is not None
    assert fits(person.password_hash, "lime feeder refilled")


def test_someone_is_disabled_and_enabled_again(site: Site) -> None:
    site.run("user", "add", "li")
    site.run("user", "disable", "li")
    assert "disabled" in site.run("user", "list")[1]
    site.run("user", "enable", "li")
    assert "li  li  no role" in site.run("user", "list")[1]
    site.run("user", "grant", "li", "--role", "viewer")
    assert "viewer at all" in site.run("user", "list")[1]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("user", "reset", "nobody"), "account: there is no account 'nobody' (allowed: none yet: `user add`)"),
        (
            ("user", "add", "li", "--role", "viewer", "--node", "home:nowhere"),
            "--node: 'home:nowhere' is no node of the tree (allowed: all, city:jc, district:north, home:beishan)",
        ),
        (("user", "add", "  "), "account: must have 1 to 60 characters"),
        (("key", "add", "x", "--use", "read", "--days", "0"), "--days: 0 is out of range (allowed: 1 or more)"),
        (("key", "revoke", "abc"), "prefix: there is no key 'abc' (allowed: none: there are no keys)"),
    ],
)
def test_a_wrong_word_is_one_line_with_what_is_allowed(site: Site, words: tuple[str, ...], line: str) -> None:
    assert site.run(*words[:2], *words[2:]) == (2, f"ingest-service: {line}\n")


def test_a_key_is_printed_once_listed_and_revoked(site: Site) -> None:
    code, told = site.run("key", "add", "prometheus", "--use", "metrics", "--use", "read", "--days", "30")
    found = re.fullmatch(r"prometheus: (csk_([0-9a-f]{12})_\S+)  \(shown once\)\n", told)
    assert found
    assert code == 0
    listed = site.run("key", "list")[1]
    assert f"{found[2]}  prometheus  metrics read at all  until " in listed
    assert found[1] not in listed
    assert site.run("key", "revoke", found[2]) == (0, f"{found[2]}: revoked\n")
    assert site.run("key", "list") == (0, "")


def test_what_was_done_at_the_terminal_is_in_the_audit_trail(site: Site) -> None:
    site.run("user", "add", "li", "--role", "viewer")
    engine = open_database(database_url(site.tree.parent, ""))
    entries = [record.entry for record in AuditTrail(engine).newest(limit=3)]
    assert [entry.action for entry in entries] == ["password_changed", "granted", "person_added"]
    assert all(entry.who.startswith("terminal ") for entry in entries)


def test_a_reset_needs_no_key_to_take_codes_away_whose_key_was_lost(site: Site) -> None:
    site.run("user", "add", "li")
    with Session(site.engine) as session, session.begin():
        session.scalars(select(Person)).one().totp_secret = Sealer([b"x" * 32]).seal(b"seed", "person 1")
    assert "password" in site.run("user", "reset", "li")[1]
    person = site.stores.people.person("li")
    assert person is not None
    assert person.totp_secret == ""
    assert person.password_until_ms is not None
