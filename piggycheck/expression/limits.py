"""What an expression may cost; every limit is checked before the thing that it limits is computed."""

from __future__ import annotations

LONGEST_TEXT = 100_000
DEEPEST_NESTING = 60
MOST_NODES = 20_000
LARGEST_EXPONENT = 1000
LARGEST_BITS = 13_000  # below the 4300 digits at which Python refuses to print an integer
LARGEST_SUM_BITS = 1_000_000
LARGEST_RADICAND_BITS = 2000
LARGEST_EXP_ARGUMENT = 1_000_000
LONGEST_NUMBER = 2000  # decimal digits of one written number
