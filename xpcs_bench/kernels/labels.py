"""Maps of labels: how two of them are combined, and whether one refines the other.

A label map gives every pixel a whole number: 0 where it is masked, 1 to n in its bin.
These functions take maps from anywhere, a file of another program for example, as
NumPy arrays.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from xpcs_bench.errors import ConfigError

__all__ = ["NO_PIXEL", "combine_labels", "dynamic_of_static"]

NO_PIXEL = -1
"""In place of a dynamic label: no pixel tells in which dynamic bin a static one is."""


def combine_labels(
    first: ArrayLike, second: ArrayLike, n_second: int
) -> NDArray[np.int32]:
    """Cross two label maps: ``(first - 1) * n_second + second``, 0 where either is 0.

    Parameters
    ----------
    first, second
        Label maps of one shape.
    n_second
        Bins of the second map, whether or not all of them have pixels.

    Raises
    ------
    ConfigError
        When the maps are no label maps of one shape, or when a label of the second is
        above ``n_second``.
    """
    one, other = _label_maps(first=first, second=second)
    if other.size and other.max() > n_second:
        msg = (
            f"combine_labels: the second map has the label {other.max()}, which is "
            f"above n_second={n_second}. Allowed: 0 to {n_second}. Give the number of "
            "bins that the map was made with."
        )
        raise ConfigError(msg)
    labels = (one - 1) * n_second + other
    return np.where((one > 0) & (other > 0), labels, 0).astype(np.int32)


def dynamic_of_static(
    static_labels: ArrayLike, dynamic_labels: ArrayLike
) -> NDArray[np.int32]:
    """Return the dynamic label of every static label, or refuse the two maps.

    Element ``s`` belongs to static label ``s``; element 0 is 0. A static label without
    any pixel has :data:`NO_PIXEL`: about it nothing can be told.

    Raises
    ------
    ConfigError
        When the maps are no label maps of one shape; when the pixels of a static bin
        are in more than one dynamic bin, or in one and in none; when a pixel has a
        label in one of the maps alone. The message names the first such static bin.
    """
    static, dynamic = _label_maps(static=static_labels, dynamic=dynamic_labels)
    found = np.full(int(static.max(initial=0)) + 1, NO_PIXEL, np.int64)
    found[static] = dynamic  # one of its pixels stands for a bin
    differ = (dynamic != found[static]) | ((static > 0) != (dynamic > 0))
    if differ.any():
        raise ConfigError(_difference(static, dynamic, int(static[differ].min())))
    found[0] = 0
    return found.astype(np.int32)


def _difference(static: NDArray[np.int64], dynamic: NDArray[np.int64], bad: int) -> str:
    """Say what is wrong with a static label: two of its pixels, or one."""
    inside = static == bad
    labels = np.unique(dynamic[inside]).tolist()
    if bad == 0:
        labels = [label for label in labels if label > 0]
    places = [
        tuple(map(int, np.argwhere(inside & (dynamic == label))[0]))
        for label in labels[:2]
    ]
    if bad == 0:
        return (
            f"the pixel {places[0]} has the dynamic label {labels[0]} and the static "
            "label 0. A pixel must have both labels or none. Use one mask for both "
            "partitions."
        )
    if len(labels) == 1:
        return (
            f"the static bin {bad} is in no dynamic bin: its pixel {places[0]} has the "
            "dynamic label 0. A pixel must have both labels or none. Use one mask and "
            "the same outer edges for both partitions."
        )
    return (
        f"the static bin {bad} spans the dynamic labels {labels[0]} (pixel "
        f"{places[0]}) and {labels[1]} (pixel {places[1]}). Every static bin must be "
        "in exactly one dynamic bin. Take a number of static bins that is a multiple "
        "of that of the dynamic ones, and edges that are shared."
    )


def _label_maps(**maps: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Check two maps, and widen them so that sums of labels fit.

    Raises
    ------
    ConfigError
        When one is not of whole numbers from 0, or when the shapes differ.
    """
    checked = []
    for name, given in maps.items():
        labels = np.asarray(given)
        if labels.dtype.kind not in "iu" or (labels.size and labels.min() < 0):
            least = f" with a least value of {labels.min()}" if labels.size else ""
            msg = (
                f"the {name} labels are {labels.dtype}{least}. Allowed: whole numbers, "
                "0 for masked pixels and 1 to n for bins. Give the label map itself."
            )
            raise ConfigError(msg)
        checked.append(labels.astype(np.int64))
    one, other = checked
    if one.shape != other.shape:
        (first, second) = maps
        msg = (
            f"the {first} labels have the shape {one.shape}, the {second} labels "
            f"{other.shape}. They must be the same. Give two maps of one detector."
        )
        raise ConfigError(msg)
    return one, other
