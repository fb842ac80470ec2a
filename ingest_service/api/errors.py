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


class NotSignedIn(ServiceError):
    """Nobody says who asks, or what they hold has ended."""


class Forbidden(ServiceError):
    """Whoever asks may see it, but their role does not let them do it."""


class PasswordDue(Forbidden):
    """Someone else knows the password of whoever asks: nothing is answered until they have chosen their own."""


class SignInRefused(ServiceError):
    """What someone typed does not prove who they are; the text does not say what of it is wrong."""


class CodesUnreadable(ServiceError):
    """The password was right, but what the account's one-time codes are made of cannot be read."""


class TooManyAttempts(ServiceError):
    """Too many attempts failed: none is taken for `wait_s` seconds."""

    def __init__(self, wait_s: int) -> None:
        self.wait_s = wait_s
        super().__init__(f"too many attempts failed: try again in {wait_s} s")


class ProviderRefused(ServiceError):
    """An identity provider did not prove who someone is; the text is for those who run the service."""
