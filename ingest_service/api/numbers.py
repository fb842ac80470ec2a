"""Numbers by which requests name things: no larger than every database has them."""

from typing import Annotated

from annotated_types import Ge, Le

MOST = 2**31 - 1
Number = Annotated[int, Ge(0), Le(MOST)]
