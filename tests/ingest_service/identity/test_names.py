"""The name in a certificate, and the broker's rules for it."""

import pytest

from ingest_service.identity.names import EdgeName, IdentityError, edge_rules, rules


@pytest.mark.parametrize(
    ("home", "edge"),
    [
        ("", "gateway"),
        ("beishan", ""),
        ("bei/shan", "gateway"),
        ("beishan", "gate+way"),
        ("#", "gateway"),
        ("beishan", "gate\nuser clearstack"),
        (" beishan", "gateway"),
        ("..", "gateway"),
        ("beishan", "."),
        ("北" * 20, "网关"),
        ("b" * 60, "gateway"),
    ],
)
def test_a_name_that_could_mean_something_else_is_refused(home: str, edge: str) -> None:
    with pytest.raises(IdentityError):
        EdgeName(home, edge)


def test_an_edge_has_its_own_topics_and_no_others() -> None:
    assert edge_rules(EdgeName("beishan", "gateway 1")).splitlines() == [
        "user beishan/gateway 1",
        "topic write spBv1.0/beishan/NBIRTH/gateway 1",
        "topic write spBv1.0/beishan/NDEATH/gateway 1",
        "topic write spBv1.0/beishan/NDATA/gateway 1",
        "topic write spBv1.0/beishan/DBIRTH/gateway 1/+",
        "topic write spBv1.0/beishan/DDEATH/gateway 1/+",
        "topic write spBv1.0/beishan/DDATA/gateway 1/+",
        "topic read spBv1.0/beishan/NCMD/gateway 1",
        "topic read spBv1.0/beishan/DCMD/gateway 1/+",
        "topic read spBv1.0/STATE/+",
    ]


def test_only_the_service_may_command_whoever_else_is_named() -> None:
    said = rules("clearstack", [EdgeName("b", "2"), EdgeName("a", "1")], ["scada"])
    blocks = dict(block.partition("\n")[::2] for block in said.split("\n\n")[1:])
    assert list(blocks) == ["user clearstack", "user scada", "user a/1", "user b/2"]
    assert [user for user, lines in blocks.items() if "write spBv1.0/+/NCMD" in lines] == ["user clearstack"]
