"""Cycles of iterates: every one of a given period, exact, with its itinerary and its multiplier."""

from piggycheck.cycles.answers import Basin, Cycle, Cycles
from piggycheck.cycles.basin import basin, entry
from piggycheck.cycles.orbit import orbit_of
from piggycheck.cycles.search import cycles

__all__ = ["Basin", "Cycle", "Cycles", "basin", "cycles", "entry", "orbit_of"]
