"""Roles of people, uses of keys, and the rights that each of them brings. Pure."""

from enum import StrEnum


class Right(StrEnum):
    """What a route may need."""

    CHARTS = "charts"  # homes, furnaces, series, judgements: what a curve is drawn from
    VIEW = "view"  # everything else that is known of a home: alarms, notifications, exports, gaps
    ACKNOWLEDGE = "acknowledge"
    MARK = "mark"  # marks, causes, actions: what people enter beside the machines' record
    APPROVE = "approve"  # what answers for a home: shelving for long, signing a report
    METRICS = "metrics"  # the service's own figures, on the root
    OPERATE = "operate"  # intake, store and rejections of the whole centre, on the root
    AUDIT = "audit"  # who did what
    PEOPLE = "people"  # accounts, grants, keys
    TREE = "tree"  # where homes stand, which are admitted
    REPORT = "report"  # that the service itself is not well, as a watcher outside sees it


class Role(StrEnum):
    """What a person is at a node and at everything below it."""

    VIEWER = "viewer"
    ENGINEER = "engineer"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"
    AUDITOR = "auditor"

    @property
    def rights(self) -> frozenset[Right]:
        """What it may do there."""
        return _RIGHTS[self]


class KeyUse(StrEnum):
    """What a machine's key is for."""

    READ = "read"
    WRITE_MARKS = "write-marks"
    METRICS = "metrics"
    GRAFANA = "grafana"
    ALERTS = "alerts"

    @property
    def rights(self) -> frozenset[Right]:
        """What a key for that use may do at its node."""
        return _KEY_RIGHTS[self]


_SEES = frozenset({Right.CHARTS, Right.VIEW, Right.OPERATE})
_WORKS = _SEES | {Right.ACKNOWLEDGE, Right.MARK}
_RIGHTS = {
    Role.VIEWER: _SEES,
    Role.ENGINEER: _WORKS,
    Role.SUPERVISOR: _WORKS | {Right.APPROVE},
    Role.ADMIN: frozenset(Right),
    Role.AUDITOR: _SEES | {Right.AUDIT, Right.METRICS},
}
_KEY_RIGHTS = {
    KeyUse.READ: frozenset({Right.CHARTS, Right.VIEW}),
    KeyUse.WRITE_MARKS: frozenset({Right.MARK}),
    KeyUse.METRICS: frozenset({Right.METRICS}),
    KeyUse.GRAFANA: frozenset({Right.CHARTS}),
    KeyUse.ALERTS: frozenset({Right.REPORT}),
}
ON_THE_ROOT = (Right.METRICS, Right.OPERATE)  # concern the centre as a whole: a grant further down does not bring them
