"""Looking for members of a family of cases of which all claims can be proved.

Floating point guides; only proofs with certificates count as found.
"""

from pathlib import Path

from piggycheck.search.decide import Decision
from piggycheck.search.executors import dask_executor, processes
from piggycheck.search.family import Choices, Family, Range, load_family, read_family
from piggycheck.search.run import Result, search

__all__ = [
    "READY",
    "Choices",
    "Decision",
    "Family",
    "Range",
    "Result",
    "dask_executor",
    "load_family",
    "processes",
    "read_family",
    "search",
]

READY = {path.stem: path for path in sorted((Path(__file__).parent / "ready").glob("*.toml"))}
"""The files of the families that are ready to be searched, by name."""
