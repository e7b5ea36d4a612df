"""Cells: the parts of a box that halving both its sides again and again gives."""

from __future__ import annotations

from dataclasses import dataclass

from flint import fmpq

from piggycheck.regions.polynomials import Bounds

__all__ = ["Cell"]


@dataclass(frozen=True, order=True)
class Cell:
    """A cell of the grid with ``2**level`` columns and as many rows.

    Parameters
    ----------
    level : int
    column, row : int
        From 0, in the directions of the first and the second unknown.

    Examples
    --------
    >>> [(cell.column, cell.row) for cell in Cell(0, 0, 0).children]
    [(0, 0), (0, 1), (1, 0), (1, 1)]
    >>> Cell(1, 1, 0).bounds(((fmpq(0), fmpq(2)), (fmpq(0), fmpq(1))))
    ((1, 2), (0, 1/2))
    """

    level: int
    column: int
    row: int

    @property
    def children(self) -> tuple[Cell, ...]:
        """The four cells of half the size."""
        return tuple(Cell(self.level + 1, 2 * self.column + i, 2 * self.row + j) for i in (0, 1) for j in (0, 1))

    @property
    def centre(self) -> tuple[fmpq, fmpq]:
        """The middle, in a box whose sides are 1."""
        return fmpq(2 * self.column + 1, 2 ** (self.level + 1)), fmpq(2 * self.row + 1, 2 ** (self.level + 1))

    @property
    def share(self) -> fmpq:
        """The part of the area of the box."""
        return fmpq(1, 4**self.level)

    def bounds(self, box: Bounds) -> Bounds:
        """Return the ends of the two unknowns."""
        (a, b), (c, d) = box
        width, height = (b - a) / 2**self.level, (d - c) / 2**self.level
        return (
            (a + self.column * width, a + (self.column + 1) * width),
            (c + self.row * height, c + (self.row + 1) * height),
        )
