import hashlib
import re
from importlib.resources import files

import pytest

from ingest_service.api.page.assets import MEDIA_TYPES, asset_url, assets, assets_hash
from ingest_service.api.page.rendering import templates

PAGE = files("ingest_service.api.page")


def test_an_address_names_the_hash_of_the_files_and_a_missing_file_has_none() -> None:
    assert asset_url("css/page.css") == f"/static/{assets_hash()}/css/page.css"
    assert re.fullmatch(r"[0-9a-f]{16}", assets_hash())
    with pytest.raises(KeyError):
        asset_url("css/missing.css")


def test_every_file_has_a_media_type() -> None:
    assert {path.rpartition(".")[2] for path in assets()} <= set(MEDIA_TYPES)


def test_files_by_others_are_those_that_the_list_names() -> None:
    listed = re.findall(
        r"^\| ([\w.]+) \| .* \| ([0-9a-f]{64}) \|$", assets()["vendor/README.md"].decode(), re.MULTILINE
    )
    assert len(listed) == 3
    for name, digest in listed:
        assert hashlib.sha256(assets()[f"vendor/{name}"]).hexdigest() == digest
    code = {path for path in assets() if path.startswith("vendor/") and path.endswith((".js", ".css"))}
    assert code == {f"vendor/{name}" for name, _ in listed}
    assert {"vendor/htmx-LICENSE.txt", "vendor/uplot-LICENSE.txt"} <= set(assets())


def test_what_the_page_loads_is_light() -> None:
    own = sum(len(content) for path, content in assets().items() if not path.startswith("vendor/"))
    assert own < 60_000


@pytest.mark.parametrize("name", [entry.name for entry in PAGE.joinpath("templates").iterdir()])
def test_every_template_compiles_and_holds_no_text_of_its_own(name: str) -> None:
    templates().get_template(name)
    source = PAGE.joinpath(f"templates/{name}").read_text(encoding="utf-8")
    assert not re.search(r"[\u4e00-\u9fff]", source), "texts stand in the locales"


def test_modules_import_each_other_by_paths_that_exist() -> None:
    for path, content in assets().items():
        if path.startswith("js/"):
            for imported in re.findall(r'from "\./([\w.]+)"', content.decode()):
                assert f"js/{imported}" in assets()
