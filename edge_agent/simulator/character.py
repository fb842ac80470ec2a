"""What makes one furnace differ from the next, drawn from seed and index."""

from random import Random

import msgspec

from edge_agent.simulator.curve import Temper


class Character(msgspec.Struct, frozen=True, kw_only=True):
    """Factors round 1 on a usual furnace's figures, and where its meters and its clean-up plant stand."""

    co_gain: float
    nox: float
    so2: float
    hcl: float
    dust: float
    heat_loss: float
    draught: float
    flow: float
    fan_current_a: float
    burner1_m3_per_h: float
    burner2_m3_per_h: float
    standby_kw: float
    bag_age_s: int
    gas_read_m3: float
    electricity_read_kwh: float
    cremations_read: int


def draw_character(rng: Random) -> Character:
    """Draw a furnace."""
    return Character(
        co_gain=rng.uniform(85.0, 130.0),
        nox=rng.uniform(0.85, 1.15),
        so2=rng.uniform(0.8, 1.2),
        hcl=rng.uniform(0.85, 1.2),
        dust=rng.uniform(0.7, 1.2),
        heat_loss=rng.uniform(0.92, 1.08),
        draught=rng.uniform(0.85, 1.15),
        flow=rng.uniform(0.9, 1.1),
        fan_current_a=rng.uniform(24.0, 32.0),
        burner1_m3_per_h=rng.uniform(26.0, 32.0),
        burner2_m3_per_h=rng.uniform(20.0, 26.0),
        standby_kw=rng.uniform(1.2, 2.0),
        bag_age_s=rng.randrange(90 * 86_400),
        gas_read_m3=rng.uniform(1_000.0, 60_000.0),
        electricity_read_kwh=rng.uniform(2_000.0, 90_000.0),
        cremations_read=rng.randrange(50, 3_000),
    )


def draw_temper(rng: Random) -> Temper:
    """Draw how one cremation differs from the usual."""
    return Temper(
        heat_c=max(-30.0, min(30.0, rng.gauss(0.0, 14.0))),
        excess_o2_pct=max(-0.5, min(0.8, rng.gauss(0.0, 0.35))),
        charge=rng.uniform(0.85, 1.12),
    )
