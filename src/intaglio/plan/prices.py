# SPDX-License-Identifier: Apache-2.0
"""A history of prices: for each zone and size of machine, the moments at which they changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from intaglio.errors import IntaglioError

#: What stands for "no price" in arrays of micro-dollars.
NO_PRICE = -1
#: Seconds after which AWS lists a price again though it has not changed: at most a day in the
#: histories that are known. A price is held over a longer gap, and that is counted.
GAP = 3 * 86_400
Key = tuple[str, str]


@dataclass(frozen=True)
class Record:
    """One change of a price. Units: seconds since 1970, micro-dollars an hour."""

    time: int
    zone: str
    size: str
    price: int


@dataclass(frozen=True, eq=False)
class Series:
    """The price of one size in one zone: `prices[k]` holds from `times[k]` until the next.

    Units: seconds since 1970, rising; micro-dollars an hour.
    """

    times: np.ndarray
    prices: np.ndarray

    def at(self, times: np.ndarray) -> np.ndarray:
        """Return the price in force at each time, `NO_PRICE` before the first record."""
        index = np.searchsorted(self.times, times, side="right") - 1
        return np.where(index < 0, NO_PRICE, self.prices[np.maximum(index, 0)])

    def means(self, edges: np.ndarray) -> np.ndarray:
        """Return the mean price between each edge and the next, half a micro-dollar rounded up.

        It is `NO_PRICE` where the price is not known at the first edge.
        """
        knots = np.union1d(edges, self.times[(self.times > edges[0]) & (self.times < edges[-1])])
        level = np.maximum(self.at(knots[:-1]), 0)
        total = np.concatenate([[0], np.cumsum(level * np.diff(knots))])
        paid = np.diff(total[np.searchsorted(knots, edges)])
        spans = np.diff(edges)
        return np.where(self.at(edges[:-1]) < 0, NO_PRICE, (paid + spans // 2) // spans)


@dataclass(frozen=True, eq=False)
class PriceHistory:
    """Prices of sizes in zones; `origin` says where they come from, and goes into every output.

    `repairs` counts what was mended while reading, by the name of the repair.
    """

    series: Mapping[Key, Series]
    origin: str
    repairs: Mapping[str, int] = field(default_factory=dict)
    generated: bool = False

    def __str__(self) -> str:
        mended = ", ".join(f"{count:,} {name}" for name, count in self.repairs.items() if count)
        count = sum(len(one.times) for one in self.series.values())
        label = "GENERATED prices, no real market: " if self.generated else ""
        text = f"{label}{self.origin}: {count:,} prices of {len(self.series)} sizes in zones"
        return f"{text} ({mended})" if mended else text

    @property
    def span(self) -> tuple[int, int]:
        """Return the first moment at which every series has a price, and the last record."""
        return (
            max(int(one.times[0]) for one in self.series.values()),
            max(int(one.times[-1]) for one in self.series.values()),
        )

    @property
    def zones(self) -> tuple[str, ...]:
        """All zones, sorted."""
        return tuple(sorted({zone for zone, _ in self.series}))

    @property
    def sizes(self) -> tuple[str, ...]:
        """All sizes, sorted."""
        return tuple(sorted({size for _, size in self.series}))

    def only(self, zones: Iterable[str] | None, sizes: Iterable[str]) -> PriceHistory:
        """Return the part that is about some zones (all for None) and sizes.

        Raises:
            IntaglioError: nothing is left, or a zone that is named has no prices.
        """
        chosen, wanted = self.zones if zones is None else tuple(zones), set(sizes)
        for zone in chosen:
            if zone not in self.zones:
                raise IntaglioError(f"a zone must be one of {', '.join(self.zones)}, not {zone!r}")
        kept = {k: one for k, one in self.series.items() if k[0] in chosen and k[1] in wanted}
        if not kept:
            raise IntaglioError(
                f"{self.origin} must hold prices of {', '.join(sorted(wanted))}, "
                f"not only of {', '.join(self.sizes)}"
            )
        return PriceHistory(kept, self.origin, self.repairs, self.generated)


def history(
    records: Iterable[Record],
    origin: str,
    repairs: Mapping[str, int] | None = None,
    *,
    generated: bool = False,
) -> PriceHistory:
    """Sort records into a history, and mend what can be mended.

    Records may come in any order. Of records of the same zone, size and second, equal ones are
    dropped (`duplicates`), and of unequal ones the dearest is kept (`conflicts`). A price holds
    until the next, however late that is; gaps of more than three days are counted.

    Raises:
        IntaglioError: there is no record.
    """
    found: dict[Key, dict[int, int]] = {}
    duplicates = conflicts = unsorted = count = 0
    latest: dict[Key, int] = {}
    for record in records:
        count += 1
        key = record.zone, record.size
        unsorted += record.time < latest.get(key, record.time)
        latest[key] = record.time
        prices = found.setdefault(key, {})
        known = prices.get(record.time)
        if known is None:
            prices[record.time] = record.price
        elif known == record.price:
            duplicates += 1
        else:
            conflicts += 1
            prices[record.time] = max(known, record.price)
    if not count:
        raise IntaglioError(f"{origin} must hold a price at least; it holds none")
    series = {key: _series(prices) for key, prices in sorted(found.items())}
    end = max(int(one.times[-1]) for one in series.values())
    gaps = sum(int((np.diff(one.times, append=end) > GAP).sum()) for one in series.values())
    mended = {
        **(repairs or {}),
        "out of order": unsorted,
        "duplicates": duplicates,
        "conflicts": conflicts,
        "held over a gap of days": gaps,
    }
    return PriceHistory(series, origin, mended, generated)


def _series(prices: Mapping[int, int]) -> Series:
    times = sorted(prices)
    return Series(
        np.array(times, dtype=np.int64),
        np.array([prices[time] for time in times], dtype=np.int64),
    )
