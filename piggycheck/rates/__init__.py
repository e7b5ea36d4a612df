"""Rates: errors along iterates to any number of digits, bounds on them, and how fast they decrease in the end.

Source: docs/theory/rates.md.
"""

from piggycheck.rates.bounds import Bound, read_bound
from piggycheck.rates.comparing import order_changes
from piggycheck.rates.decide import Comparison, compare_with_bound
from piggycheck.rates.errors import ErrorSequence, error_sequence
from piggycheck.rates.limit import Limit, limit_of
from piggycheck.rates.sequences import Estimate
from piggycheck.rates.smallest import Smallest, smallest_constant, smallest_rate
from piggycheck.rates.tail import Tail, find_tail

__all__ = [
    "Bound",
    "Comparison",
    "ErrorSequence",
    "Estimate",
    "Limit",
    "Smallest",
    "Tail",
    "compare_with_bound",
    "error_sequence",
    "find_tail",
    "limit_of",
    "order_changes",
    "read_bound",
    "smallest_constant",
    "smallest_rate",
]
