import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_contract_of_what_the_service_may_use_names_every_module_of_the_edge_but_the_wire() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    named = set(next(one for one in contracts if "wire contract" in one["name"])["forbidden_modules"])
    entries = [entry for entry in (ROOT / "edge_agent").iterdir() if entry.is_dir() or entry.suffix == ".py"]
    modules = {f"edge_agent.{entry.stem}" for entry in entries if not entry.name.startswith("__")}
    assert named == modules - {"edge_agent.wire"}
