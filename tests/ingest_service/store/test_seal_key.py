"""The seeds of one-time codes on disk: sealed, under whose key, taken over, sealed anew, lost."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, select

from ingest_service.config import Storage
from ingest_service.errors import ConfigError
from ingest_service.people.decision import Admission
from ingest_service.people.sealing import KeyMissing, Sealer, new_key
from ingest_service.store.audit import AuditTrail
from ingest_service.store.doing import Doing
from ingest_service.store.organisation import open_people
from ingest_service.store.people import PeopleStore
from ingest_service.store.people_tables import Person
from ingest_service.store.seal_key import FILE, open_sealer, take_up
from ingest_service.store.sealed_codes import reseal
from tests.support.database import new_database

SEED = b"twenty bytes of seed"
DOING = Doing("the test", "", 1_000)


def people_of(engine: Engine, sealer: Sealer) -> PeopleStore:
    return open_people(engine, AuditTrail(engine), Admission.ALL, sealer).people


def on_disk(folder: Path) -> bytes:
    """Everything of the database: its file and what was written ahead."""
    return b"".join(file.read_bytes() for file in sorted(folder.glob("state.sqlite*")))


def from_before(engine: Engine, count: int) -> list[str]:
    """People whose seeds lie open in the database, as they did once."""
    seeds = [f"{number:08x}{SEED.hex()[8:]}" for number in range(count)]
    rows = [{"account": f"p{at}", "name": "x", "created_ms": 1, "totp_secret": seed} for at, seed in enumerate(seeds)]
    with engine.begin() as connection:
        connection.execute(insert(Person), rows)
    return seeds


def test_the_first_start_makes_a_key_for_the_owner_only_and_the_next_one_keeps_it(tmp_path: Path) -> None:
    sealed = open_sealer(Storage(folder=str(tmp_path)), "service.toml").seal(SEED, "li")
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    assert open_sealer(Storage(folder=str(tmp_path)), "service.toml").open(sealed, "li") == SEED


def test_a_key_from_the_environment_or_a_file_leaves_none_in_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = new_key()
    (tmp_path / "key").write_text(f"{key}\n")
    monkeypatch.setenv("THE_KEY", key)
    folder = tmp_path / "data"
    of_file = open_sealer(Storage(folder=str(folder), seal_key_file=str(tmp_path / "key")), "service.toml")
    of_variable = open_sealer(Storage(folder=str(folder), seal_key_env="THE_KEY"), "service.toml")
    assert of_variable.open(of_file.seal(SEED, "li"), "li") == SEED
    assert not folder.exists()


@pytest.mark.parametrize(
    ("configured", "line"),
    [
        ("{path}", "service.toml: storage.seal_key_file: holds something that is no key"),
        ("", "{path}: holds something that is no key"),
    ],
)
def test_a_key_that_is_none_is_one_line(tmp_path: Path, configured: str, line: str) -> None:
    path = tmp_path / FILE
    path.write_text("not a key\n")
    storage = Storage(folder=str(tmp_path), seal_key_file=configured.format(path=path))
    with pytest.raises(ConfigError) as refused:
        open_sealer(storage, "service.toml")
    assert str(refused.value).startswith(line.format(path=path))
    assert "openssl rand -base64 32" in str(refused.value)


def test_nothing_in_the_database_shows_a_seed_and_a_restart_opens_it(tmp_path: Path) -> None:
    storage, engine = Storage(folder=str(tmp_path)), new_database(tmp_path)
    people = people_of(engine, take_up(engine, storage, "service.toml"))
    person = people.add("li", "Li", DOING)
    people.ask_codes(person.id, SEED, 7, DOING)
    engine.dispose()
    assert not any(form in on_disk(tmp_path) for form in (SEED, SEED.hex().encode(), SEED.hex().upper().encode()))
    engine = new_database(tmp_path)
    people = people_of(engine, take_up(engine, storage, "service.toml"))
    kept = people.person("li")
    assert kept is not None
    assert (people.code_seed(kept), kept.totp_step) == (SEED, 7)
    engine.dispose()


def test_seeds_from_before_are_sealed_at_the_start_and_leave_no_trace(tmp_path: Path) -> None:
    engine = new_database(tmp_path)
    seeds = from_before(engine, 500)
    assert seeds[0].encode() in on_disk(tmp_path)
    people = people_of(engine, take_up(engine, Storage(folder=str(tmp_path)), "service.toml"))
    found = on_disk(tmp_path)
    assert [seed for seed in seeds if seed.encode() in found] == []
    assert sorted(people.code_seed(person).hex() for person in people.people()) == seeds
    engine.dispose()


def test_a_new_key_in_front_seals_everything_anew_and_the_old_one_may_go(database: Engine) -> None:
    old, new = b"o" * 32, b"n" * 32
    seeds = from_before(database, 3)
    assert reseal(database, Sealer([old])).count == 3
    assert reseal(database, Sealer([new, old])).count == 3
    assert reseal(database, Sealer([new, old])).count == 0
    people = people_of(database, Sealer([new]))
    assert sorted(people.code_seed(person).hex() for person in people.people()) == seeds


def test_seeds_whose_key_is_lost_are_told_by_account_and_come_back_with_it(tmp_path: Path) -> None:
    engine = new_database(tmp_path)
    from_before(engine, 2)
    reseal(engine, Sealer([b"o" * 32]))
    done = reseal(engine, Sealer([b"n" * 32]))
    assert (done.count, done.lost) == (0, ("p0", "p1"))
    people = people_of(engine, Sealer([b"n" * 32]))
    with pytest.raises(KeyMissing):
        people.code_seed(people.people()[0])
    assert reseal(engine, Sealer([b"n" * 32, b"o" * 32])).count == 2
    engine.dispose()


def test_a_seed_that_is_taken_into_another_row_opens_to_nothing(tmp_path: Path) -> None:
    engine, sealer = new_database(tmp_path), Sealer([b"o" * 32])
    from_before(engine, 2)
    reseal(engine, sealer)
    with sqlite3.connect(tmp_path / "state.sqlite") as thief:
        thief.execute("UPDATE person SET totp_secret = (SELECT totp_secret FROM person WHERE account = 'p1')")
    with engine.connect() as connection:
        assert len(set(connection.scalars(select(Person.totp_secret)))) == 1
    people = people_of(engine, sealer)
    with pytest.raises(KeyMissing):
        people.code_seed(people.people()[0])
    engine.dispose()
