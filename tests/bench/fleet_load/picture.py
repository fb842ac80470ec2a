"""Makes tables (Markdown) and a picture (SVG) of what a sample costs at several sizes, from the JSON of several runs.

python -m tests.bench.fleet_load.picture tests/bench/results/fleet.jsonl deploy/pictures/fleet.svg
"""

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

WIDTH, HEIGHT, MARGIN = 640, 320, 56
INK, LINE, PAPER = "#333", "#1f6f8b", "#fff"


class Run(msgspec.Struct, frozen=True):
    """The figures of one run of the fleet benchmark that are shown."""

    machine: str
    furnaces: int
    samples_per_s: int
    service_us_per_sample: float
    service_cores: float
    broker_cores: float
    rss_mb: int
    p95_queryable_s: float
    lost: int
    hot_bytes_per_value: float
    raw_24h_of_one_tag_ms: float
    minute_means_30d_of_one_tag_ms: float
    latest_of_40_tags_ms: float
    page_of_the_fleet_ms: float


COLUMNS: dict[str, Callable[[Run], str]] = {
    "furnaces": lambda run: f"{run.furnaces:,}",
    "samples/s": lambda run: f"{run.samples_per_s:,}",
    "service, µs/sample": lambda run: f"{run.service_us_per_sample:.2f}",
    "service, cores": lambda run: f"{run.service_cores:.2f}",
    "broker, cores": lambda run: f"{run.broker_cores:.2f}",
    "memory, MB": lambda run: f"{run.rss_mb:,}",
    "queryable, p95 s": lambda run: f"{run.p95_queryable_s:.2f}",
    "lost": lambda run: f"{run.lost}",
    "hot bytes a value": lambda run: f"{run.hot_bytes_per_value:.1f}",
}
QUESTIONS: dict[str, Callable[[Run], str]] = {
    "furnaces": COLUMNS["furnaces"],
    "24 h of one tag, ms": lambda run: f"{run.raw_24h_of_one_tag_ms:.0f}",
    "30 d of its minute means, ms": lambda run: f"{run.minute_means_30d_of_one_tag_ms:.0f}",
    "newest of 40 tags, ms": lambda run: f"{run.latest_of_40_tags_ms:.0f}",
    "page of all furnaces, ms": lambda run: f"{run.page_of_the_fleet_ms:,.0f}",
}


def main(results: Path, picture: Path) -> None:
    """Print the tables and write the picture."""
    runs = newest_runs(results)
    print(table(runs, COLUMNS), "\n\n", table(runs, QUESTIONS), "\n\n", runs[-1].machine, sep="")
    picture.write_text(drawn(runs), encoding="utf-8")


def newest_runs(results: Path) -> list[Run]:
    """The runs in a file of JSON lines, by size; of several of one size the last one."""
    lines = results.read_text(encoding="utf-8").splitlines()
    newest = {run.furnaces: run for run in (msgspec.json.decode(line, type=Run) for line in lines if line)}
    return [newest[furnaces] for furnaces in sorted(newest)]


def table(runs: Sequence[Run], columns: Mapping[str, Callable[[Run], str]]) -> str:
    """A row a run."""
    rows = ["| " + " | ".join(written(run) for written in columns.values()) + " |" for run in runs]
    return "\n".join(["| " + " | ".join(columns) + " |", "|" + "--:|" * len(columns), *rows])


def drawn(runs: Sequence[Run]) -> str:
    """Cost (logarithmic, upwards) over the number of furnaces (logarithmic, to the right)."""
    points = [(_across(run, runs), _up(run, runs), run) for run in runs]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in points)
    marks = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{LINE}"/>'
        f'<text x="{x:.1f}" y="{y - 10:.1f}" text-anchor="middle">{run.service_us_per_sample:.2f}</text>'
        f'<text x="{x:.1f}" y="{HEIGHT - MARGIN + 20}" text-anchor="middle">{run.furnaces:,}</text>'
        for x, y, run in points
    )
    bottom, right = HEIGHT - MARGIN, WIDTH - MARGIN / 2
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"
 font-family="sans-serif" font-size="12" fill="{INK}">
<title>Processor time of the service per sample, by the number of furnaces</title>
<rect width="{WIDTH}" height="{HEIGHT}" fill="{PAPER}"/>
<text x="{MARGIN}" y="24" font-size="14">Service: microseconds of processor time per sample, everything on</text>
<line x1="{MARGIN}" y1="{bottom}" x2="{right}" y2="{bottom}" stroke="{INK}"/>
<text x="{WIDTH / 2}" y="{HEIGHT - 12}" text-anchor="middle">furnaces, 40 tags each, one sample a second</text>
<polyline points="{path}" fill="none" stroke="{LINE}" stroke-width="2"/>
{marks}
</svg>
"""


def _across(run: Run, runs: Sequence[Run]) -> float:
    return _share(run.furnaces, [one.furnaces for one in runs]) * (WIDTH - 2.5 * MARGIN) + 1.5 * MARGIN


def _up(run: Run, runs: Sequence[Run]) -> float:
    costs = [one.service_us_per_sample for one in runs]
    return HEIGHT - 1.6 * MARGIN - _share(run.service_us_per_sample, costs) * (HEIGHT - 3 * MARGIN)


def _share(value: float, values: Sequence[float]) -> float:
    """Where a value lies between the lowest and the highest, on a logarithmic scale: 0 to 1."""
    low, high = math.log(min(values)), math.log(max(values))
    return 0.5 if high == low else (math.log(value) - low) / (high - low)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
