"""`python -m tests.fuzz TARGET --seconds N`: exit code 0 where nothing was found; what was found lies in --findings."""

import argparse
import sys
import tempfile
from pathlib import Path

import atheris

LIMITS = ("-rss_limit_mb=1500", "-malloc_limit_mb=600", "-timeout=10", "-max_len=4096", "-print_final_stats=1")
LED_BY = ["edge_agent.wire", "ingest_service.intake", "ingest_service.influxql"]
# atheris keeps both sides of a comparison of numpy arrays for ever.
NOT_LED_BY = [
    f"ingest_service.intake.{name}" for name in ("scanning", "plain", "gathering", "admission", "alias_table")
]


def main() -> None:
    """Fuzz until the time is over or something was found; ends the process."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("target", choices=["decoding", "intake", "influxql"])
    parser.add_argument("--seconds", type=int, default=5, help="how long")
    parser.add_argument("--seed", type=int, default=1, help="the same seed tries the same, as far as time allows")
    parser.add_argument("--findings", type=Path, default=Path("fuzz-findings"), help="folder for inputs that fail")
    parser.add_argument("--input", type=Path, help="one such input, to be tried again")
    args = parser.parse_args()
    with atheris.instrument_imports(include=LED_BY, exclude=NOT_LED_BY):
        from tests.fuzz.targets import TARGETS, prepared
    one = prepared(args.target)
    if args.input:
        one(args.input.read_bytes())
        return
    args.findings.mkdir(parents=True, exist_ok=True)
    corpus = Path(tempfile.mkdtemp(prefix="clearstack-corpus-"))
    for number, seed in enumerate(TARGETS[args.target].seeds):
        (corpus / str(number)).write_bytes(seed)
    time = f"-max_total_time={args.seconds}"
    prefix = f"-artifact_prefix={args.findings}/{args.target}-"
    atheris.Setup([sys.argv[0], *LIMITS, time, f"-seed={args.seed}", prefix, str(corpus)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
