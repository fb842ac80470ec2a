"""What a server answered instead of "written"; the class says what the writer does next.

StoreError
|-- Unreachable   no answer, or the line broke: try again later
|-- Busy          the server asks for patience (429, 503): wait, then send the same again
|-- TooLarge      413: send less at once
|-- RefusedData   400 or 422 because of what is in the lines: find the ones that are wrong
`-- (itself)      token, bucket, disk, anything else: nothing can be written until a person or time mends it
"""

from ingest_service.errors import StoreError


class Unreachable(StoreError):
    """No answer came."""


class Busy(StoreError):
    """The server wants to be asked again after `retry_after_s` seconds."""

    def __init__(self, text: str, retry_after_s: float) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(text)


class TooLarge(StoreError):
    """The body is larger than the server takes."""


class RefusedData(StoreError):
    """Something in the lines is not acceptable, and stays so; the other lines may have been stored."""
