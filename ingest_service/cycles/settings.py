"""What a site settles of its cremations: the section of the configuration file with its defaults, units and reasons."""

from typing import Annotated

import msgspec

Area = Annotated[float, msgspec.Meta(gt=0, le=100)]


class StackArea(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The area of the measuring section of one furnace's stack ("": of every furnace of the home), m2."""

    home: str
    furnace: str = ""
    area_m2: Area


class Cremations(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How cremations are measured. Each of these is the site's own: its permit and its gas bill go before a default."""

    # Secondary chamber: asked for by 27. BImSchV (mean of 10 minutes), and by UK PGN 5/2 where nothing cleans the gas.
    chamber2_least_c: Annotated[float, msgspec.Meta(ge=0, le=1_500)] = 850.0
    # 56.1 kg CO2 a GJ (IPCC 2006, volume 2, table 2.2: natural gas) at 35.6 MJ a m3; to be set from the gas bill.
    co2_kg_per_m3: Annotated[float, msgspec.Meta(ge=0, le=20)] = 2.0
    cold_below_c: Annotated[float, msgspec.Meta(ge=0, le=1_500)] = 500.0  # both chambers below: a cold start; a choice
    hot_above_c: Annotated[float, msgspec.Meta(ge=0, le=1_500)] = 600.0  # secondary chamber: kept hot; a choice
    stack_area_m2: Area | None = None  # of every furnace without an entry below; no mass is told without an area
    stack: tuple[StackArea, ...] = ()

    def area_of(self, home: str, furnace: str) -> float | None:
        """The most specific area that is set, m2."""
        found = {(one.home, one.furnace): one.area_m2 for one in self.stack}
        return found.get((home, furnace), found.get((home, ""), self.stack_area_m2))
