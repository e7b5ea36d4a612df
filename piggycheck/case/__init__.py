"""A case: a TOML file that states an iteration or a switched system, and claims about it."""

from piggycheck.case.calls import read_function
from piggycheck.case.model import Case
from piggycheck.case.reader import load_case, read_case, read_table

__all__ = ["Case", "load_case", "read_case", "read_function", "read_table"]
