"""Signing in as people do: by the form, with the password that the first start told."""

import json

import httpx


def first_password(log: str) -> str:
    """The password of the account `admin`, as the service's log told it at its first start."""
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    told: list[str] = [line["shown_once"] for line in lines if line["event"] == "first_account_made"]
    return told[-1]


def enter_first(client: httpx.Client, account: str, given: str, own: str) -> None:
    """Sign in with a password that someone else set, choose another, and sign in with that."""
    enter(client, account, given)
    changed = client.post("/account/password", data={"old": given, "new": own})
    assert changed.status_code == 303, changed.text
    enter(client, account, own)


def enter(client: httpx.Client, account: str, password: str) -> httpx.Response:
    """Send the form; the client keeps the session. Raises AssertionError where it is refused."""
    answer = client.post("/sign-in", data={"account": account, "password": password})
    assert answer.status_code == 303, answer.text
    return answer
