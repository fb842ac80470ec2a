"""Opening the relational database: what is said where it cannot be."""

import pytest

from ingest_service.errors import StoreError
from ingest_service.store.database import open_database


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql+pg8000://db/city", "No module named 'pg8000'"),
        ("nosuch://db/city", "nosuch"),
        ("not an address", "Could not parse"),
        ("postgresql+psycopg://127.0.0.1:1/city?connect_timeout=2", "127.0.0.1"),
        ("sqlite:////no/such/folder/state.sqlite", "unable to open"),
    ],
)
def test_a_database_that_cannot_be_opened_is_told(url: str, said: str) -> None:
    with pytest.raises(StoreError, match="relational database") as refused:
        open_database(url)
    assert said in str(refused.value)


def test_a_password_in_the_address_is_not_told() -> None:
    with pytest.raises(StoreError) as refused:
        open_database("postgresql+psycopg://me:wortlaut@127.0.0.1:1/city?connect_timeout=2")
    assert "wortlaut" not in str(refused.value)
