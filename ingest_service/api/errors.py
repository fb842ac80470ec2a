"""What a request can ask in vain; `app.py` says what HTTP makes of each."""

from ingest_service.errors import ServiceError


class NotFound(ServiceError):
    """There is no such thing, or not in the reader's sight."""


class InvalidRequest(ServiceError):
    """What was asked cannot be answered as it was asked; the text says what can."""


class CrossSiteForm(ServiceError):
    """A form that another site's page sent."""


class TooManyStreams(ServiceError):
    """Every live stream that the process allows is taken."""
