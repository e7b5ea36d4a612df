"""The arrays of a case: written out, read from files beside it, generated from seeds, or computed from each other.

Every array is an exact rational matrix; a vector is a matrix of one column.
"""

from piggycheck.data.table import inline, read_data

__all__ = ["inline", "read_data"]
