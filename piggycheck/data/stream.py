"""Numbers that look random and are the same everywhere: they depend on a seed and on nothing else."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator

__all__ = ["Stream"]

_BLOCK_BYTES = 65536
_WORD_BYTES = 4
_TERMS = 12
_TWICE_MEAN = _TERMS * (2**32 - 1)
_CHUNK = 4096


class Stream:
    """The words of 32 bits that a label and a seed stand for.

    Block j = 0, 1, ... of the stream is the first 65536 bytes of SHAKE256 (FIPS 202) of the ASCII text
    ``"piggycheck LABEL SEED j"``; a word is four bytes, the least significant first.

    Parameters
    ----------
    label : str
        What the numbers are for, so that different uses of one seed have nothing in common.
    seed : int
        Not negative.

    Examples
    --------
    >>> Stream("gaussian", 1).words(2)
    (1202732021, 1502172683)

    Notes
    -----
    When this fails: the numbers are no secret and are not drawn from any distribution; they only look like it.
    """

    def __init__(self, label: str, seed: int):
        self._text, self._next_block = f"piggycheck {label} {seed}", 0
        self._bytes, self._offset = b"", 0

    def words(self, count: int) -> tuple[int, ...]:
        """Return the next words."""
        size = count * _WORD_BYTES
        if self._offset + size > len(self._bytes):
            self._bytes, self._offset = b"".join([self._bytes[self._offset :], *self._blocks(size)]), 0
        words = struct.unpack_from(f"<{count}I", self._bytes, self._offset)
        self._offset += size
        return words

    def _blocks(self, size: int) -> Iterator[bytes]:
        """Yield the next blocks, as many as hold `size` bytes."""
        for _ in range(-(-size // _BLOCK_BYTES)):
            yield hashlib.shake_256(f"{self._text} {self._next_block}".encode("ascii")).digest(_BLOCK_BYTES)
            self._next_block += 1

    def below(self, bound: int) -> int:
        """Return an integer from 0 to ``bound - 1``: ``floor(u * bound / 2**64)``, u two words, the lower one first."""
        low, high = self.words(2)
        return ((high << 32) + low) * bound >> 64

    def integers(self, count: int, lower: int, upper: int) -> list[int]:
        """Return integers between two bounds, which are possible values."""
        return [lower + self.below(upper - lower + 1) for _ in range(count)]

    def gaussian(self, count: int, numerator: int, denominator: int) -> list[int]:
        """Return multiples ``numerator/denominator * z`` of nearly Gaussian numbers z, rounded to integers.

        ``z = (w_1 + ... + w_12 - 6*(2**32 - 1)) / 2**32`` of twelve words has mean 0, variance ``1 - 2**-64`` and the
        distribution of Irwin and Hall. The integer is ``floor(t + 1/2)`` for the multiple t.
        """
        rounded: list[int] = []
        unit, shift = denominator << 32, numerator * _TWICE_MEAN
        while len(rounded) < count:
            words = self.words(_TERMS * min(_CHUNK, count - len(rounded)))
            sums = (sum(words[i : i + _TERMS]) for i in range(0, len(words), _TERMS))
            rounded += [(2 * numerator * total - shift + unit) // (2 * unit) for total in sums]
        return rounded

    def choice(self, count: int, total: int) -> list[int]:
        """Return `count` different ones of 0, ..., `total` - 1: the head of a list shuffled by Fisher and Yates."""
        order = list(range(total))
        for i in range(count):
            j = i + self.below(total - i)
            order[i], order[j] = order[j], order[i]
        return order[:count]
