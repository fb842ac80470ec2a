"""Asks as Grafana's queries, in one dialect."""

from collections.abc import Sequence
from enum import StrEnum, unique
from itertools import groupby

from dashboards import influxql, promql
from dashboards.asking import Ask, Match, Shape, Source
from dashboards.panel import Panel, Variable
from dashboards.text import Locale
from dashboards.types import PromVariableQuery, SourceRef, Target

ANY = ".*"
CHOICE = r"/^(?<text>.*)\/(?<value>[^\/]*)$/"  # what a reader sees, then what is asked for, which has no such sign
TABLE = "table"


@unique
class Dialect(StrEnum):
    """The query languages: InfluxQL for InfluxDB and the service itself, PromQL for VictoriaMetrics."""

    INFLUXQL = "influxql"
    PROMQL = "promql"

    @property
    def plugin(self) -> str:
        """Grafana's data source for it."""
        return "influxdb" if self is Dialect.INFLUXQL else "prometheus"

    def source(self, source: Source) -> SourceRef:
        """The variable that holds a data source; VictoriaMetrics has everything in one."""
        return SourceRef(type=self.plugin, uid=f"${{{source if self is Dialect.INFLUXQL else 'source'}}}")


MIXED = SourceRef(type="datasource", uid="-- Mixed --")


def targets(panel: Panel, where: Sequence[Match], dialect: Dialect, locale: Locale) -> list[Target]:
    """The queries of a panel; asks that differ in their fields alone are one statement in InfluxQL."""
    if panel.events:
        return [_events(panel.events, where, dialect, locale)]
    shape = panel.shape
    if dialect is Dialect.INFLUXQL:
        groups = [list(group) for _, group in groupby(panel.asks, key=_joined)]
        return [_influxql_of(ref_id(at), group, shape, locale) for at, group in enumerate(groups)]
    return [_promql_of(ref_id(at), ask, shape, locale) for at, ask in enumerate(panel.asks)]


def ref_id(at: int) -> str:
    """A, B, C ..."""
    return chr(ord("A") + at)


def panel_source(found: Sequence[Target]) -> SourceRef:
    """The data source of all queries of a panel."""
    return found[0].datasource if len({one.datasource.uid for one in found}) == 1 else MIXED


def variable_query(variable: Variable, dialect: Dialect, locale: Locale) -> str | PromVariableQuery:
    """The query for the choices of a variable, which `CHOICE` takes apart."""
    tag = f"{variable.tag}_choice_{locale}"
    if dialect is Dialect.INFLUXQL:
        return influxql.tag_values(variable.measurement, tag, variable.within)
    text = promql.label_values(variable.measurement, variable.field, tag, variable.within)
    return PromVariableQuery(query=text, ref_id=f"variable-{variable.tag}")


def _joined(ask: Ask) -> tuple[object, ...]:
    """What asks have in common that one statement answers."""
    return ask.measurement, ask.by, ask.where, ask.only, ask.window


def _influxql_of(ref: str, asks: Sequence[Ask], shape: Shape, locale: Locale) -> Target:
    text, source = influxql.statement(asks, shape, locale), asks[0].source
    if shape is Shape.ROWS:
        return _influxql(ref, source, text, TABLE)
    name = "$col" if len(asks) > 1 else asks[0].name.of(locale)
    return _influxql(
        ref, source, text, "time_series", " ".join([*(f"$tag_{tag}" for tag in asks[0].legend), name]).strip()
    )


def _promql_of(ref: str, ask: Ask, shape: Shape, locale: Locale) -> Target:
    name = ask.name.of(locale)
    legend = " ".join(f"{{{{{tag}}}}}" for tag in ask.legend)
    over_time = shape is Shape.OVER_TIME
    return Target(
        ref_id=ref,
        datasource=Dialect.PROMQL.source(ask.source),
        expr=promql.expression(ask, shape),
        legend_format=f"{legend} {name}".strip(),
        instant=not over_time,
        range=over_time,
        format=TABLE if shape is Shape.ROWS else "time_series",
        editor_mode="code",
        interval=ask.window or None,
    )


def _influxql(ref: str, source: Source, text: str, form: str, alias: str | None = None) -> Target:
    return Target(
        ref_id=ref, datasource=Dialect.INFLUXQL.source(source), query=text, raw_query=True, result_format=form,
        alias=alias,
    )  # fmt: skip


def _events(kind: str, where: Sequence[Match], dialect: Dialect, locale: Locale) -> Target:
    if dialect is Dialect.INFLUXQL:
        return _influxql("A", Source.HOUR, influxql.events(kind, where, locale), TABLE)
    return Target(
        ref_id="A", datasource=dialect.source(Source.HOUR), expr=promql.events(kind, where, locale, "$__range"),
        instant=True, range=False, format=TABLE, editor_mode="code",
    )  # fmt: skip
