"""One request for every route, about things of the home Beishan; a route that has none here fails the matrix."""

from collections.abc import Callable, Mapping
from itertools import count

import msgspec

from ingest_service.emissions.marks import STATES
from ingest_service.people.nodes import Node
from ingest_service.people.roles import KeyUse, Role
from ingest_service.store.doing import Doing
from ingest_service.store.keys import KeyShown
from ingest_service.store.marks import MarkEntry
from tests.support.city import HOUR_MS, NOW_MS, City

SPAN = f"from={NOW_MS - HOUR_MS}&to={NOW_MS}"
AT_HOME, FROM_DISTRICT, FROM_ROOT = ("own", "ancestor", "root"), ("ancestor", "root"), ("root",)
_numbers = count(1)


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent. `names` says whether it names a thing of Beishan, `holders` from where the right reaches it."""

    url: str
    json: Mapping[str, object] | None = None
    form: Mapping[str, object] | None = None
    names: bool = True
    holders: tuple[str, ...] = AT_HOME


Maker = Callable[[City], Probe]


def doing(city: City) -> Doing:
    return Doing("the test", "", city.now_ms)


def reads(url: str) -> Maker:
    """Names a thing of Beishan."""
    return lambda _city: Probe(url=url)


def lists(url: str) -> Maker:
    """Asks for whatever there is."""
    return lambda _city: Probe(url=url, names=False)


def sends(url: str, **form: object) -> Maker:
    return lambda _city: Probe(url=url, form=form)


def a_mark(city: City) -> int:
    entry = MarkEntry(furnace_id=1, state=STATES["fault"], start_ms=NOW_MS - HOUR_MS, end_ms=NOW_MS)
    return city.context().marks.enter(entry, doing(city))


def a_person(city: City) -> int:
    person = city.people.people.add(f"target{next(_numbers)}", "Target", doing(city))
    city.people.people.grant(person.id, Role.VIEWER, "home:beishan", doing(city))
    return person.id


def a_key(city: City) -> str:
    return city.people.keys.add(KeyShown("target", "home:beishan", (KeyUse.READ,), None), doing(city)).row.prefix


def on_person(action: str, **form: object) -> Maker:
    return lambda city: Probe(url=f"/people/{a_person(city)}/{action}", form=form)


def revokes(city: City) -> Probe:
    person = a_person(city)
    return Probe(url=f"/people/{person}/revoke", form={"grant": city.people.people.grants(person)[0].id})


def plants(city: City) -> Probe:
    form = {"kind": "home", "name": f"new{next(_numbers)}", "parent": "district:north"}
    return Probe(url="/tree/add", form=form, holders=FROM_DISTRICT)


def admits(city: City) -> Probe:
    city.people.tree.remove("home:waiting", doing(city))
    city.people.directory.forget()
    return Probe(url="/tree/admit", form={"home": "waiting", "parent": "district:north"}, holders=FROM_ROOT)


def removes(city: City) -> Probe:
    city.people.tree.put([Node(id="furnace:beishan/spare", parent_id="home:beishan")], doing(city))
    city.people.directory.forget()
    return Probe(url="/tree/remove", form={"node": "furnace:beishan/spare"})


def adds_person(city: City) -> Probe:
    form = {"account": f"new{next(_numbers)}", "name": "New", "role": "viewer", "node": "home:beishan"}
    return Probe(url="/people/add", form=form)


FURNACE = "/homes/beishan/furnaces/furnace-1"
MARK_FORM = {"state": "fault", "start": "2026-03-10T08:00", "end": "2026-03-10T09:00", "reason": "test"}
MARK = {"state": "fault", "start_ms": NOW_MS - HOUR_MS, "end_ms": NOW_MS, "reason": "test"}
REMARK = {"cause": "process", "action": "adjusted"}
PROBES: dict[str, Maker] = {
    "GET /": lists("/"),
    "GET /alarms": lists("/alarms"),
    "GET /inbox": lists("/inbox"),
    "GET /data": lists("/data"),
    "GET /energy": lists("/energy"),
    "GET /people": lists("/people"),
    "GET /keys": lists("/keys"),
    "GET /tree": lists("/tree"),
    "GET /account": lists("/account"),
    "GET /account/password": lists("/account/password"),
    "GET /metrics": lists("/metrics"),
    "GET /audit": lists("/audit"),
    "GET /api/v1/audit": lists("/api/v1/audit"),
    "GET /api/v1/audit/export": lists("/api/v1/audit/export?form=json"),
    "GET /alarms/{alarm}": reads("/alarms/1"),
    "GET /homes/{home}": reads("/homes/beishan"),
    "GET /homes/{home}/furnaces/{furnace}": reads(FURNACE),
    "GET /homes/{home}/furnaces/{furnace}/completeness": reads(f"{FURNACE}/completeness"),
    "GET /homes/{home}/furnaces/{furnace}/cremations": reads(f"{FURNACE}/cremations"),
    "POST /alarms/{alarm}/acknowledge": sends("/alarms/1/acknowledge", reason="on_it"),
    "GET /api/v1/alarms": lists("/api/v1/alarms?state=all"),
    "GET /api/v1/alarms/{alarm}": reads("/api/v1/alarms/1"),
    "POST /api/v1/alerts/grafana": lambda _: Probe(url="/api/v1/alerts/grafana", json={"alerts": []}, names=False),
    "POST /api/v1/alarms/{alarm}/acknowledge": lambda _: Probe(url="/api/v1/alarms/1/acknowledge", json={}),
    "GET /api/v1/edges": lists("/api/v1/edges"),
    "GET /api/v1/energy": lists(f"/api/v1/energy?{SPAN}"),
    "GET /api/v1/exceedances": lists("/api/v1/exceedances"),
    "GET /api/v1/exceedances/{exceedance}/remarks": reads("/api/v1/exceedances/1/remarks"),
    "POST /api/v1/exceedances/{exceedance}/remarks": lambda _: Probe(url="/api/v1/exceedances/1/remarks", json=REMARK),
    "GET /api/v1/furnaces": lists("/api/v1/furnaces"),
    "GET /api/v1/gaps": lists(f"/api/v1/gaps?{SPAN}"),
    "GET /api/v1/homes": lists("/api/v1/homes"),
    "GET /api/v1/homes/{home}": reads("/api/v1/homes/beishan"),
    "GET /api/v1/homes/{home}/furnaces/{furnace}": reads(f"/api/v1{FURNACE}"),
    "GET /api/v1/homes/{home}/furnaces/{furnace}/charging": reads(f"/api/v1{FURNACE}/charging"),
    "GET /api/v1/homes/{home}/furnaces/{furnace}/completeness": reads(f"/api/v1{FURNACE}/completeness?{SPAN}"),
    "GET /api/v1/homes/{home}/furnaces/{furnace}/cycles": reads(f"/api/v1{FURNACE}/cycles?{SPAN}"),
    "GET /api/v1/homes/{home}/furnaces/{furnace}/explanations": reads(
        f"/api/v1{FURNACE}/explanations?pollutant=hcl&at_ms={NOW_MS}"
    ),
    "GET /api/v1/homes/{home}/furnaces/{furnace}/export": reads(f"/api/v1{FURNACE}/export?{SPAN}"),
    "GET /api/v1/homes/{home}/furnaces/{furnace}/judgements": reads(f"/api/v1{FURNACE}/judgements?{SPAN}"),
    "GET /api/v1/homes/{home}/furnaces/{furnace}/marks": reads(f"/api/v1{FURNACE}/marks?{SPAN}"),
    "POST /api/v1/homes/{home}/furnaces/{furnace}/marks": lambda _: Probe(url=f"/api/v1{FURNACE}/marks", json=MARK),
    "GET /api/v1/homes/{home}/furnaces/{furnace}/substitutions/{month}": reads(
        f"/api/v1{FURNACE}/substitutions/2026-03"
    ),
    "GET /api/v1/homes/{home}/furnaces/{furnace}/trends": reads(f"/api/v1{FURNACE}/trends?{SPAN}"),
    "GET /api/v1/homes/{home}/reports/{kind}/{label}": reads("/api/v1/homes/beishan/reports/day/2026-03-09?format=csv"),
    "GET /homes/{home}/furnaces/{furnace}/compliance": reads(f"{FURNACE}/compliance"),
    "POST /homes/{home}/furnaces/{furnace}/marks": sends(f"{FURNACE}/marks", **MARK_FORM),
    "POST /marks/{mark}/correct": lambda city: Probe(url=f"/marks/{a_mark(city)}/correct", form=MARK_FORM),
    "POST /marks/{mark}/withdraw": lambda city: Probe(url=f"/marks/{a_mark(city)}/withdraw", form={"reason": "test"}),
    "POST /exceedances/{exceedance}/remarks": sends("/exceedances/1/remarks", **REMARK),
    "GET /api/v1/inbox": lists("/api/v1/inbox"),
    "POST /api/v1/marks/{mark}/correct": lambda city: Probe(url=f"/api/v1/marks/{a_mark(city)}/correct", json=MARK),
    "POST /api/v1/marks/{mark}/withdraw": lambda city: Probe(
        url=f"/api/v1/marks/{a_mark(city)}/withdraw", json={"reason": "test"}
    ),
    "GET /api/v1/rejections": lists("/api/v1/rejections"),
    "GET /api/v1/rules": lists("/api/v1/rules"),
    "GET /api/v1/series/{series}/means": reads(f"/api/v1/series/1/means?{SPAN}"),
    "GET /api/v1/series/{series}/raw": reads(f"/api/v1/series/1/raw?{SPAN}"),
    "GET /api/v1/session": lists("/api/v1/session"),
    "GET /api/v1/store": lists("/api/v1/store"),
    "GET /api/v1/stream": reads("/api/v1/stream?home=beishan"),
    "GET /query": lists("/query?q=SHOW+TAG+VALUES+WITH+KEY+%3D+%22home%22"),
    "POST /query": lambda _: Probe(url="/query", form={"q": 'SHOW TAG VALUES WITH KEY = "home"'}, names=False),
    "POST /account/code": sends("/account/code", old="x", secret="A" * 32, code="123456"),
    "POST /account/code/off": sends("/account/code/off", old="x"),
    "POST /account/password": sends("/account/password", old="x", new="y"),
    "POST /account/sessions/end": sends("/account/sessions/end", session="0" * 64),
    "POST /people/add": adds_person,
    "POST /people/{person}/disable": on_person("disable"),
    "POST /people/{person}/enable": on_person("enable"),
    "POST /people/{person}/grant": on_person("grant", role="viewer", node="home:beishan"),
    "POST /people/{person}/reset": on_person("reset"),
    "POST /people/{person}/revoke": revokes,
    "POST /keys/add": sends("/keys/add", name="new", node="home:beishan", use="read"),
    "POST /keys/{prefix}/revoke": lambda city: Probe(url=f"/keys/{a_key(city)}/revoke", form={}),
    "POST /tree/add": plants,
    "POST /tree/admit": admits,
    "POST /tree/change": lambda _: Probe(
        url="/tree/change", form={"node": "home:beishan", "parent": "district:north"}, holders=FROM_DISTRICT
    ),
    "POST /tree/remove": removes,
}
