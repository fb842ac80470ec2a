"""Who is let in by the configuration, and what of it is refused."""

import pytest

from ingest_service.people.roles import Role
from ingest_service.people.settings import GroupGrant, People, Provider, SignIn, is_loopback, unfit

PROVIDER = Provider(
    issuer="https://login.example", client_id="x", redirect_url="https://us.example/sign-in/provider/back"
)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8080", "localhost", "LOCALHOST:1", "[::1]:8080", "::1"])
def test_this_machine_goes_by_several_names(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["", "0.0.0.0", "192.168.1.4:8080", "evil.example:8080", "localhost.evil.example", "[::]:80"]
)
def test_everything_else_is_another_machine(host: str) -> None:
    assert not is_loopback(host)


def test_sign_in_can_be_off_only_where_nobody_else_reaches_the_service() -> None:
    off = People(sign_in=SignIn.OFF)
    assert list(unfit(off, "127.0.0.1")) == []
    ((key, problem, allowed),) = unfit(off, "0.0.0.0")
    assert (key, allowed) == ("people.sign_in", "required, or http.host = 127.0.0.1")
    assert "0.0.0.0" in problem


@pytest.mark.parametrize(
    ("provider", "key"),
    [
        (Provider(issuer="http://login.example", client_id="x", redirect_url="https://a"), "people.provider.issuer"),
        (Provider(issuer="https://a", client_id="x", redirect_url="ftp://a"), "people.provider.redirect_url"),
        (
            Provider(
                issuer="https://a",
                client_id="x",
                redirect_url="https://a",
                grant=(GroupGrant(group="g", role=Role.VIEWER, node="furnace:a/b"),),
            ),
            "people.provider.grant[0].node",
        ),
    ],
)
def test_a_provider_that_cannot_be_trusted_is_refused(provider: Provider, key: str) -> None:
    assert [one[0] for one in unfit(People(provider=provider), "0.0.0.0")] == [key]


def test_a_provider_over_tls_is_taken() -> None:
    assert list(unfit(People(provider=PROVIDER), "0.0.0.0")) == []
