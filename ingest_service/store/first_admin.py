"""Somebody must be able to let others in: the first start makes one administrator with a password of its own."""

from ingest_service.people.hashing import hash_password, new_password
from ingest_service.people.nodes import ROOT_ID
from ingest_service.people.roles import Role
from ingest_service.store.doing import Doing
from ingest_service.store.people import PeopleStore

ACCOUNT = "admin"
VALID_MS = 7 * 86_400_000
FIRST = "first start"


def make_first_admin(people: PeopleStore, now_ms: int) -> str | None:
    """The password of the new account `admin`, to be shown once; None where anybody has an account already."""
    if people.people():
        return None
    password, doing = new_password(), Doing(FIRST, "", now_ms)
    person = people.add(ACCOUNT, "Administrator", doing)
    people.set_password(person.id, hash_password(password), now_ms + VALID_MS, doing)
    people.grant(person.id, Role.ADMIN, ROOT_ID, doing)
    return password
