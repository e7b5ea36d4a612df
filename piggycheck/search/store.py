"""The results of a search, in an SQLite file: each finished unit of work is one transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from piggycheck.errors import InputError

__all__ = ["Store", "StoreError"]

FORMAT = "piggycheck-results/1"
_TABLES = """
CREATE TABLE heading (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE units (number INTEGER PRIMARY KEY, evaluations INTEGER NOT NULL, result TEXT NOT NULL);
CREATE TABLE later (key TEXT PRIMARY KEY, result TEXT NOT NULL);
"""
_SECONDS_TO_WAIT = 2.0


class StoreError(InputError):
    """A file of results that cannot be used or written."""


class Store:
    """The results of one search.

    Parameters
    ----------
    path : Path or None
        The file; None keeps everything in memory.
    heading : mapping from texts to texts
        What the search is: results of another one are refused.
    resume : bool
        Whether to continue what is there.

    Raises
    ------
    StoreError
        When the file cannot be opened, is used by another search, or holds the results of another one.

    Examples
    --------
    >>> store = Store(None, {"family": "f"}, resume=False)
    >>> store.record(3, 1, {"found": []})
    >>> store.units()
    [(3, {'found': []})]

    Notes
    -----
    A process that is killed loses the units it had not finished and nothing else.
    """

    def __init__(self, path: Path | None, heading: Mapping[str, str], *, resume: bool):
        self.path = path
        heading = {"format": FORMAT, **heading}
        exists = path is not None and path.exists() and path.stat().st_size > 0
        if exists and not resume:
            raise StoreError(f"{path}: holds an earlier search; continue it with --resume, or choose another folder")
        with self._errors():
            self.connection = sqlite3.connect(
                ":memory:" if path is None else path, timeout=_SECONDS_TO_WAIT, isolation_level=None
            )
            try:
                self.connection.execute("PRAGMA locking_mode = EXCLUSIVE")
                with self._transaction():
                    if not self._is_prepared():
                        self._prepare(heading)
                self._compare(heading)
            except BaseException:
                self.connection.close()
                raise

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    def record(self, number: int, evaluations: int, result: Mapping[str, Any]) -> None:
        """Keep the result of a finished unit, in place of an earlier one.

        Raises
        ------
        StoreError
            When it cannot be written; what was recorded before is kept.
        """
        with self._errors(), self._transaction():
            row = (number, evaluations, json.dumps(result, ensure_ascii=False))
            self.connection.execute("INSERT OR REPLACE INTO units VALUES (?, ?, ?)", row)

    def units(self) -> list[tuple[int, dict[str, Any]]]:
        """Return the results by the numbers of their units."""
        with self._errors():
            rows = self.connection.execute("SELECT number, result FROM units ORDER BY number").fetchall()
        return [(number, json.loads(result)) for number, result in rows]

    def keep(self, key: str, result: Mapping[str, Any]) -> None:
        """Keep what was made of the results later, under a name."""
        with self._errors(), self._transaction():
            row = (key, json.dumps(result, ensure_ascii=False))
            self.connection.execute("INSERT OR REPLACE INTO later VALUES (?, ?)", row)

    def kept(self, key: str) -> dict[str, Any] | None:
        """Return what was kept under a name."""
        with self._errors():
            row = self.connection.execute("SELECT result FROM later WHERE key = ?", (key,)).fetchone()
        return None if row is None else json.loads(row[0])

    def _is_prepared(self) -> bool:
        query = "SELECT name FROM sqlite_master WHERE type = 'table'"
        names = {name for (name,) in self.connection.execute(query)}
        if names and "heading" not in names:
            raise StoreError(f"{self.path}: a database of something else; choose another folder")
        return bool(names)

    def _prepare(self, heading: Mapping[str, str]) -> None:
        for statement in _TABLES.strip().split("\n"):
            self.connection.execute(statement)
        self.connection.executemany("INSERT INTO heading VALUES (?, ?)", heading.items())

    def _compare(self, heading: Mapping[str, str]) -> None:
        there = dict(self.connection.execute("SELECT key, value FROM heading"))
        for key, value in heading.items():
            if there.get(key) != value:
                shown = "" if max(len(value), len(there.get(key, ""))) > 40 else f" `{there.get(key)}`, not `{value}`"
                raise StoreError(f"{self.path}: holds results of another {key}{shown}; choose another folder for --out")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.connection.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Say in one line what went wrong with the file."""
        try:
            yield
        except sqlite3.Error as error:
            message = str(error)
            if "locked" in message:
                message = "is used by another search; wait for its end"
            elif "full" in message:
                message = "the disk is full; what was finished before is kept, and --resume continues"
            elif "not a database" in message:
                message = "is no file of results; choose another folder for --out"
            else:
                message = f"cannot be used: {message}; choose another folder for --out"
            raise StoreError(f"{self.path}: {message}") from None
