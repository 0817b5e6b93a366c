"""The part of a store that costs nothing: the levels that it may have without more discomfort.

A store whose bounds are narrowed to these levels can make any moves within its room: in no slot is
more missing than now. This is less than all that costs nothing, since more in one slot never makes
up for less in another, but it needs no search.
"""

from dataclasses import replace

import numpy as np

from agents.devices.store import Store
from agents.devices.store_wishes import Reserve, Warmth
from protocol.vectors import Array


def costless(store: Store, schedule: Array) -> Store:
    """Return the store with levels narrowed to those that cost no comfort from this schedule on.

    A store with a wish of another kind keeps the levels that it has.
    """
    levels = store.levels(schedule)
    low = high = levels
    match store.wish:
        case None:
            return store
        case Warmth(wish_kwh=wish, too_warm_kwh=too_warm):
            low, high = np.minimum(levels, wish), np.maximum(levels, too_warm)
        case Reserve(wish_kwh=wish):
            low, high = np.minimum(levels, wish), np.maximum(levels, store.high_kwh)
        case _:
            pass
    return replace(
        store,
        low_kwh=np.maximum(store.low_kwh, low),
        # A level may be above its bound by the tolerance.
        high_kwh=np.maximum(np.minimum(store.high_kwh, high), np.maximum(store.low_kwh, low)),
    )
