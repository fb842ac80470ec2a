"""Makes a table (Markdown) and a picture (SVG) of what a sample costs at several sizes, from the JSON of several runs.

python -m tests.bench.fleet_load.picture runs.jsonl cost.svg
"""

import math
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

WIDTH, HEIGHT, MARGIN = 640, 320, 56
INK, LINE, PAPER = "#333", "#1f6f8b", "#fff"


class Run(msgspec.Struct, frozen=True):
    """The figures of one run of the fleet benchmark that the picture shows."""

    furnaces: int
    samples_per_s: int
    service_us_per_sample: float
    service_cores: float
    broker_cores: float
    rss_mb: int
    p95_queryable_s: float
    lost: int


def main(runs: Path, picture: Path) -> None:
    """Print the table and write the picture."""
    lines = runs.read_text(encoding="utf-8").splitlines()
    found = sorted((msgspec.json.decode(line, type=Run) for line in lines if line), key=lambda run: run.furnaces)
    print(table(found))
    picture.write_text(drawn(found), encoding="utf-8")


def table(runs: Sequence[Run]) -> str:
    """A row a run."""
    head = "| furnaces | samples/s | service, µs/sample | service, cores | broker, cores | memory, MB | p95, s | lost |"
    rows = [
        f"| {run.furnaces:,} | {run.samples_per_s:,} | {run.service_us_per_sample:.2f} | {run.service_cores:.2f} |"
        f" {run.broker_cores:.2f} | {run.rss_mb:,} | {run.p95_queryable_s:.2f} | {run.lost} |"
        for run in runs
    ]
    return "\n".join([head, "|" + "--:|" * 8, *rows])


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
