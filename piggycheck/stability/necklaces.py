"""Words up to rotation: the products of a word and of its rotations have the same eigenvalues."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from piggycheck.switched import Word

__all__ = ["first_rotation", "necklace_of", "necklaces"]


def necklaces(
    letters: int, length: int, forbidden: Callable[[Sequence[int]], int | None] | None = None
) -> Iterator[Word]:
    """Yield the Lyndon words of one length: each word up to rotation once, powers of shorter words left out.

    Parameters
    ----------
    letters : int
        Size of the alphabet ``0, ..., letters - 1``.
    length : int
    forbidden : callable, optional
        Given a word, it says how long the prefix is with which no word is wanted, or None.

    Yields
    ------
    Word
        In alphabetical order.

    Examples
    --------
    >>> list(necklaces(2, 4))
    [(0, 0, 0, 1), (0, 0, 1, 1), (0, 1, 1, 1)]

    Notes
    -----
    When this fails: there are about ``letters ** length / length`` of them.

    References
    ----------
    J.-P. Duval, Génération d'une section des classes de conjugaison et arbre des mots de Lyndon de longueur bornée,
    Theoretical Computer Science 60 (1988).
    """
    if letters < 1 or length < 1:
        return
    word = [-1]
    while word:
        word[-1] += 1
        period = len(word)
        while len(word) < length:
            word.append(word[-period])
        wanted = None if forbidden is None else forbidden(word)
        if wanted is not None:
            del word[wanted:]
        elif period == length:
            yield tuple(word)
        while word and word[-1] == letters - 1:
            word.pop()


def necklace_of(word: Sequence[int]) -> Word:
    """Return the Lyndon word of a word: the first rotation of the shortest word of which it is a power.

    Examples
    --------
    >>> necklace_of((1, 0, 0, 1, 0, 0))
    (0, 0, 1)
    """
    whole = tuple(word)
    size = len(whole)
    root = next(whole[:p] for p in range(1, size + 1) if size % p == 0 and whole[:p] * (size // p) == whole)
    return first_rotation(root)


def first_rotation(word: Word) -> Word:
    """Return the alphabetically first rotation of a word, in linear time.

    Examples
    --------
    >>> first_rotation((1, 0, 0, 1, 0))
    (0, 0, 1, 0, 1)
    """
    size = len(word)
    best, other, same = 0, 1, 0
    while other < size and same < size:
        a, b = word[(best + same) % size], word[(other + same) % size]
        if a == b:
            same += 1
            continue
        if a > b:
            best, other = max(other, best + same + 1), max(other, best + same + 1) + 1
        else:
            other += same + 1
        same = 0
    return word[best:] + word[:best]
