"""A report as one HTML file that needs nothing beside it: to be read, printed and kept. Pure."""

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined

from ingest_service.alarms.vocabulary import Locale
from ingest_service.reports.cells import Cell, Figure, Flag, Moment, Sheet
from ingest_service.reports.charts import FLOOR, HEIGHT, WIDTH, charts_of
from ingest_service.reports.model import Report
from ingest_service.reports.sheets import title_of
from ingest_service.reports.telling import Telling

LANG_TAGS = {Locale.ZH: "zh-CN", Locale.EN: "en"}


def html_of(report: Report, sheets: Sequence[Sheet], tell: Telling) -> bytes:
    """The file. Long annexes are left to the tables' other forms, and said to be."""
    charts = [(tell.furnace(part.furnace), charts_of(report, part, tell)) for part in report.furnaces]
    body = _templates().get_template("report.html").render(
        t=tell.words,
        lang=LANG_TAGS[tell.words.locale],
        style=style(),
        title=title_of(report, tell),
        home=tell.home(report.home),
        stage=report.stage,
        sheets=[sheet for sheet in sheets if not sheet.annex],
        annexes=[sheet.title for sheet in sheets if sheet.annex],
        charts=[(name, found) for name, found in charts if found],
        chart_width=WIDTH,
        chart_height=HEIGHT,
        chart_floor=FLOOR,
        kind=_kind,
        text=lambda cell: shown(cell, tell),
        iso=lambda cell: tell.iso(cell.at_ms),
    )  # fmt: skip
    return body.encode("utf-8")


@cache
def style() -> str:
    """The file's own style sheet."""
    return files("ingest_service.reports").joinpath("templates/report.css").read_text(encoding="utf-8")


@cache
def content_security_policy() -> str:
    """What a browser needs to trust the file: its own style, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(style().encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def shown(cell: Cell, tell: Telling) -> str:
    """A cell as people read it."""
    match cell:
        case None:
            return "–"
        case Figure():
            return f"{cell.value:,.{cell.decimals}f}"
        case Moment():
            return tell.at(cell.at_ms).strftime("%Y-%m-%d %H:%M")
        case Flag():
            return cell.text
        case int():
            return f"{cell:,}"
        case _:
            return cell


def _kind(cell: Cell) -> str:
    """How a cell is set."""
    if isinstance(cell, Flag):
        return f"flag-{cell.level}"
    return "number" if isinstance(cell, int | Figure) else "moment" if isinstance(cell, Moment) else "words"


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("ingest_service.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
