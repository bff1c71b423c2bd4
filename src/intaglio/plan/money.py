# SPDX-License-Identifier: Apache-2.0
"""Money in whole micro-dollars and time in whole seconds: read, printed, and billed."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import overload

import numpy as np

from intaglio.errors import IntaglioError

MICRO = 1_000_000
HOUR = 3600
#: A Linux machine is billed by the second from here on. Source: AWS, "EC2 billing and purchasing
#: options", Linux on-demand and spot instances, as quoted in 2026.
LEAST_BILLED_SECONDS = 60
#: Prices an hour that no machine of this kind has had: wrong units or columns.
LEAST_PRICE, MOST_PRICE = 100, 1_000 * MICRO
_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_UNITS = (24 * HOUR, HOUR, 60, 1)


def micro_dollars(value: object, what: str) -> int:
    """Read dollars, as text or as a number, as micro-dollars.

    Raises:
        IntaglioError: it is no amount of 0 or more; `what` begins the text.
    """
    if isinstance(value, str | int | float | Decimal) and not isinstance(value, bool):
        try:
            micro = Decimal(str(value)) * MICRO
        except InvalidOperation:
            micro = Decimal("nan")
        if micro.is_finite() and 0 <= micro < 10**15:
            return int(micro.to_integral_value())
    raise IntaglioError(f"{what} must be an amount of dollars of 0 or more, not {value!r}")


def hourly_price(value: object, what: str) -> int:
    """Read a price an hour, as micro-dollars.

    Raises:
        IntaglioError: it is none, or one that no machine has had; `what` begins the text.
    """
    price = micro_dollars(value, what)
    if not LEAST_PRICE <= price <= MOST_PRICE:
        raise IntaglioError(
            f"{what} must lie in ${LEAST_PRICE / MICRO:g} to ${MOST_PRICE / MICRO:g} an hour, "
            f"not {value!r}"
        )
    return price


@overload
def bill(price: int, seconds: int) -> int: ...
@overload
def bill(price: np.ndarray, seconds: int | np.ndarray) -> np.ndarray: ...
def bill(price: int | np.ndarray, seconds: int | np.ndarray) -> int | np.ndarray:
    """Return what seconds cost at a price an hour, half a micro-dollar rounded up."""
    return (price * seconds + HOUR // 2) // HOUR


def dollars(micro: float) -> str:
    """Print micro-dollars."""
    return f"${micro / MICRO:,.2f}" if micro >= MICRO else f"${micro / MICRO:.4f}"


def duration(seconds: float) -> str:
    """Print seconds, as `1d3h20m`."""
    left, parts = round(seconds), []
    for unit, letter in zip(_UNITS, "dhms", strict=True):
        count, left = divmod(left, unit)
        if count:
            parts.append(f"{count}{letter}")
    return "".join(parts) or "0s"


def seconds_of(value: object, what: str) -> int:
    """Read a whole number of seconds, or text such as `1d3h20m`.

    Raises:
        IntaglioError: it is neither; `what` begins the text.
    """
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    found = _DURATION.fullmatch(value) if isinstance(value, str) and value else None
    if found is None:
        raise IntaglioError(
            f"{what} must be a time such as 1d3h20m or whole seconds, not {value!r}"
        )
    return sum(int(n or 0) * unit for n, unit in zip(found.groups(), _UNITS, strict=True))


def moment(value: object, what: str) -> int:
    """Read a point in time with its time zone, as seconds since 1970.

    Raises:
        IntaglioError: it is none, has no time zone, or lies before 2006, when there was no cloud.
    """
    try:
        time = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        time = None
    if not isinstance(time, datetime):
        raise IntaglioError(f"{what} must be a time such as 2020-03-01T12:00:00Z, not {value!r}")
    if time.tzinfo is None:
        raise IntaglioError(f"{what} must have a time zone, such as Z at its end, not {value!r}")
    if time.year < 2006:
        raise IntaglioError(f"{what} must be later than 2005, not {value!r}")
    return int(time.timestamp())


def clock(seconds: int) -> str:
    """Print seconds since 1970 in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
