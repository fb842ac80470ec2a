"""Grafana dashboards: five questions as panels, written once for two languages and two query dialects.

`python -m dashboards` writes `json/` and what Grafana is provisioned with (`deploy/grafana/`).
Limits, phases, quantities and units come from the product.
"""
