import importlib
import pkgutil

import ingest_service.anomaly
from ingest_service.anomaly.detectors import DETECTORS, MINUTE_DETECTORS


def test_every_detector_module_is_in_the_table_and_every_entry_has_its_module() -> None:
    modules = [
        importlib.import_module(f"ingest_service.anomaly.{entry.name}")
        for entry in pkgutil.iter_modules(ingest_service.anomaly.__path__)
    ]
    assert {module.NAME: module.detect for module in modules if hasattr(module, "detect")} == {
        **DETECTORS,
        **MINUTE_DETECTORS,
    }
