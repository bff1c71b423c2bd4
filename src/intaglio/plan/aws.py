# SPDX-License-Identifier: Apache-2.0
"""Prices from AWS itself, by boto3: the extra `intaglio[aws]`, imported late.

Reads only. Nothing here rents, starts or stops a machine, and no credential is read: boto3 finds
those where AWS's own tools do.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import Any

from intaglio.errors import IntaglioError, MissingToolError, ToolError
from intaglio.plan.history_files import PRODUCTS, records
from intaglio.plan.money import HOUR, clock
from intaglio.plan.prices import PriceHistory, history

#: AWS keeps prices for so long. Source: EC2 API reference, DescribeSpotPriceHistory.
KEPT_SECONDS = 90 * 24 * HOUR
#: Records a page, the most there are. Source: the same.
PAGE = 1000


def client(region: str) -> Any:
    """Return boto3's client of EC2 in a region.

    Raises:
        MissingToolError: boto3 is not installed.
    """
    if find_spec("boto3") is None:
        raise MissingToolError(
            "prices from AWS need boto3, which is not installed: pip install 'intaglio[aws]'"
        )
    import boto3

    return boto3.client("ec2", region_name=region)


def live_history(
    ec2: Any, sizes: Sequence[str], start: int, end: int | None = None, *, now: int | None = None
) -> PriceHistory:
    """Read the spot prices of sizes from `start` on, from all zones of the client's region.

    Units: seconds since 1970.

    Raises:
        IntaglioError: the time is empty, or older than AWS keeps prices for.
        ToolError: AWS refuses, or cannot be reached.
    """
    now = int(time.time()) if now is None else now
    end = now if end is None else min(end, now)
    if start < now - KEPT_SECONDS:
        raise IntaglioError(
            f"prices must be asked for from {clock(now - KEPT_SECONDS)} on, "
            f"not from {clock(start)}: AWS keeps them for 90 days"
        )
    if start >= end:
        raise IntaglioError(f"the first moment must lie before {clock(end)}, not at {clock(start)}")
    region = ec2.meta.region_name
    repairs: Counter[str] = Counter()
    found = list(records(_rows(ec2, sizes, start, end), f"AWS {region}", repairs))
    return history(found, f"AWS {region} on {clock(now)}", repairs)


def _rows(ec2: Any, sizes: Sequence[str], start: int, end: int) -> Iterator[dict[str, Any]]:
    """Ask page after page; an empty token, not an empty page, marks the end."""
    token = ""
    while True:
        question: dict[str, Any] = {
            "InstanceTypes": list(sizes),
            "ProductDescriptions": [PRODUCTS[0]],
            "StartTime": datetime.fromtimestamp(start, UTC),
            "EndTime": datetime.fromtimestamp(end, UTC),
            "MaxResults": PAGE,
        }
        if token:
            question["NextToken"] = token
        try:
            answer = ec2.describe_spot_price_history(**question)
        except Exception as error:  # botocore's, which may not be installed to be named
            if type(error).__module__.partition(".")[0] != "botocore":
                raise
            raise ToolError(f"AWS must answer with prices, not with: {error}") from error
        yield from answer["SpotPriceHistory"]
        token = answer.get("NextToken", "")
        if not token:
            return
