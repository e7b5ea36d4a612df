"""Sets of points as images: which pixels they ink, and their colours laid over each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

__all__ = ["image", "strip"]

_LARGEST_DISC = 0.004
_LEAST_PIXELS = 1.0
_LEAST_STRIP = 3
_THIN = 0.02
_THIN_PIXELS = 8


def image(parts: Sequence[Any], colours: Sequence[str], window: Any, shape: tuple[int, int], radius: float) -> Any:
    """Draw sets of points of the plane as an image; where sets overlap, so do their colours.

    Parameters
    ----------
    parts : sequence of numpy.ndarray of shape (n, 2)
    colours : sequence of str
        One for each part, as ``#rrggbb``.
    window : tuple of float
        Left, right, bottom and top of the image.
    shape : tuple of int
        Rows and columns.
    radius : float
        Each point inks the disc of this radius around it, though at least a pixel, and no very large disc.

    Returns
    -------
    numpy.ndarray of shape (rows, columns, 4)
        Red, green, blue and opacity; the first row is the bottom.

    Examples
    --------
    >>> import numpy as np
    >>> image([np.array([[0.5, 0.5]])], ["#000000"], (0, 100, 0, 100), (100, 100), 1.0)[0, :3, 3].tolist()
    [255, 128, 0]

    Notes
    -----
    When this fails: a thin set is drawn some pixels wide, so that it can be seen.
    """
    rows, columns = shape
    inks = [_inked(points, window, (2 * rows, 2 * columns), radius) for points in parts]
    if sum(int(ink.sum()) for ink in inks) < _THIN * 4 * rows * columns:
        wider = max(radius, _THIN_PIXELS * (window[1] - window[0]) / (2 * columns))
        inks = [_inked(points, window, (2 * rows, 2 * columns), wider) for points in parts]
    return _mixed([_averaged(ink) for ink in inks], colours)


def _inked(points: Any, window: tuple[float, float, float, float], shape: tuple[int, int], radius: float) -> Any:
    """Which pixels are within a radius of a point; rows from the bottom."""
    import numpy as np

    left, right, bottom, top = window
    rows, columns = shape
    pixel = (right - left) / columns
    disc = _disc(min(max(radius / pixel + 0.5, _LEAST_PIXELS), 1 + _LARGEST_DISC * columns))
    reach = max(i for i, _ in disc)
    found = np.zeros((rows + 2 * reach, columns + 2 * reach), dtype=bool)
    x = np.floor((points[:, 0] - left) / pixel).astype(int)
    y = np.floor((points[:, 1] - bottom) * rows / (top - bottom)).astype(int)
    seen = (0 <= x) & (x < columns) & (0 <= y) & (y < rows)
    here = np.unique(y[seen] * columns + x[seen])
    y, x = np.divmod(here, columns)
    for i, j in disc:
        found[y + i + reach, x + j + reach] = True
    return found[reach : reach + rows, reach : reach + columns]


def _disc(radius: float) -> list[tuple[int, int]]:
    """The pixels within a radius of one."""
    reach = math.floor(radius)
    steps = range(-reach, reach + 1)
    return [(i, j) for i in steps for j in steps if i * i + j * j <= radius * radius]


def _averaged(ink: Any) -> Any:
    """How much of each pixel is inked, from an image twice as fine."""
    fine = ink.view("uint8")
    return (fine[0::2, 0::2] + fine[0::2, 1::2] + fine[1::2, 0::2] + fine[1::2, 1::2]).astype("float32") / 4


def strip(parts: Sequence[Any], colours: Sequence[str], ends: tuple[float, float], columns: int, radius: float) -> Any:
    """Draw sets of numbers as an image one pixel high.

    Parameters
    ----------
    parts : sequence of numpy.ndarray of shape (n,)
    colours : sequence of str
        One for each part, as ``#rrggbb``.
    ends : tuple of float
        Left and right end of the image.
    columns : int
    radius : float
        Each number inks the interval of this radius around it, though at least some pixels and no large part of all.

    Returns
    -------
    numpy.ndarray of shape (1, columns, 4)

    Examples
    --------
    >>> import numpy as np
    >>> strip([np.array([0.5])], ["#000000"], (0, 1), 8, 0.0)[0, :, 3].tolist()
    [0, 0, 0, 128, 255, 0, 0, 0]
    """
    import numpy as np

    left, right = ends
    fine = 2 * columns
    pixel = (right - left) / fine
    reach = math.ceil(min(max(radius / pixel, _LEAST_STRIP), _LARGEST_DISC * fine))
    shares = []
    for points in parts:
        ink = np.zeros(fine + 2 * reach, dtype=bool)
        places = np.unique(np.clip(((points - left) / pixel).astype(int), 0, fine - 1)) + reach
        for shift in range(-reach, reach + 1):
            ink[places + shift] = True
        shares.append(ink[reach:-reach].reshape(1, columns, 2).mean(axis=2))
    return _mixed(shares, colours)


def _mixed(shares: Sequence[Any], colours: Sequence[str]) -> Any:
    """The colours of images laid over each other.

    Transparent pixels have the colour of the nearest other one, because viewers that shrink images blend it in.
    """
    import numpy as np
    from scipy.ndimage import distance_transform_edt

    count = sum(shares)
    image = np.zeros((*count.shape, 4), dtype=np.uint8)
    weight = np.maximum(count, 1e-6)
    for channel in range(3):
        total = sum(share * _rgb(colour)[channel] for share, colour in zip(shares, colours, strict=True))
        image[..., channel] = np.round(255 * total / weight)
    if count.any():
        nearest = distance_transform_edt(count == 0, return_distances=False, return_indices=True)
        image[..., :3] = image[..., :3][tuple(nearest)]
    image[..., 3] = np.round(255 * np.minimum(count, 1))
    return image


def _rgb(colour: str) -> tuple[float, ...]:
    return tuple(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
