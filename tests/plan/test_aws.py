# SPDX-License-Identifier: Apache-2.0
"""Prices from AWS: page after page, within what it keeps, and its refusals in one line.

The client is botocore's own, stubbed, or a stand-in with the one method that is used.
"""

from __future__ import annotations

import importlib.util
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.stub import Stubber

from intaglio.errors import IntaglioError, MissingToolError, ToolError
from intaglio.plan import aws
from intaglio.plan.money import HOUR, moment

NOW = moment("2026-03-01T00:00:00Z", "now")


class RefusedError(Exception):
    """An error of the library's own."""


RefusedError.__module__ = "botocore.exceptions"


class Client:
    """Answers with one page after the other, and keeps what it was asked."""

    meta = SimpleNamespace(region_name="us-east-1")

    def __init__(self, *pages: Any) -> None:
        self.pages = list(pages)
        self.asked: list[dict[str, Any]] = []

    def describe_spot_price_history(self, **question: Any) -> dict[str, Any]:
        self.asked.append(question)
        page = self.pages[len(self.asked) - 1]
        if isinstance(page, Exception):
            raise page
        last = len(self.asked) == len(self.pages)
        return {"SpotPriceHistory": page, "NextToken": "" if last else f"page{len(self.asked)}"}


def row(hour: int, price: str) -> dict[str, Any]:
    return {
        "AvailabilityZone": "us-east-1a",
        "InstanceType": "f2.6xlarge",
        "ProductDescription": "Linux/UNIX",
        "SpotPrice": price,
        "Timestamp": datetime.fromtimestamp(NOW - hour * HOUR, UTC),
    }


def test_all_pages_newest_first_become_one_history() -> None:
    client = Client([row(1, "0.7"), row(3, "0.65")], [], [row(30, "0.6"), row(30, "0.6")])
    found = aws.live_history(client, ["f2.6xlarge"], NOW - 24 * HOUR, now=NOW)
    series = found.series["us-east-1a", "f2.6xlarge"]
    assert ((NOW - series.times) // HOUR).tolist() == [30, 3, 1]
    assert series.prices.tolist() == [600_000, 650_000, 700_000]
    assert found.repairs["duplicates"] == 1
    assert found.origin == "AWS us-east-1 on 2026-03-01 00:00:00Z"
    first, second, third = client.asked
    assert "NextToken" not in first
    assert (second["NextToken"], third["NextToken"]) == ("page1", "page2")
    assert first["InstanceTypes"] == ["f2.6xlarge"]
    assert first["ProductDescriptions"] == ["Linux/UNIX"]
    assert first["MaxResults"] == 1000
    assert first["EndTime"] - first["StartTime"] == second["EndTime"] - second["StartTime"]


def test_botocore_itself_takes_the_questions_and_gives_the_answers() -> None:
    ec2 = aws.client("eu-west-1")
    pages = [[row(1, "0.7"), row(3, "0.65")], [row(30, "0.6")]]
    start = NOW - 24 * HOUR
    with Stubber(ec2) as stub:
        for number, page in enumerate(pages):
            asked = {
                "InstanceTypes": ["f2.6xlarge"],
                "ProductDescriptions": ["Linux/UNIX"],
                "StartTime": datetime.fromtimestamp(start, UTC),
                "EndTime": datetime.fromtimestamp(NOW, UTC),
                "MaxResults": 1000,
                **({"NextToken": "more"} if number else {}),
            }
            answer = {"SpotPriceHistory": page, "NextToken": "" if number else "more"}
            stub.add_response("describe_spot_price_history", answer, asked)
        found = aws.live_history(ec2, ["f2.6xlarge"], start, now=NOW)
        stub.assert_no_pending_responses()
    assert found.series["us-east-1a", "f2.6xlarge"].prices.tolist() == [600_000, 650_000, 700_000]
    assert found.origin == "AWS eu-west-1 on 2026-03-01 00:00:00Z"


def test_a_refusal_of_botocore_is_one_line() -> None:
    ec2 = aws.client("eu-west-1")
    with Stubber(ec2) as stub:
        stub.add_client_error("describe_spot_price_history", "UnauthorizedOperation", "not you")
        with pytest.raises(ToolError) as caught:
            aws.live_history(ec2, ["f2.6xlarge"], NOW - HOUR, now=NOW)
    assert "not you" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_aws_no_longer_keeps_is_not_asked_for() -> None:
    client = Client([])
    with pytest.raises(IntaglioError) as caught:
        aws.live_history(client, ["x"], NOW - 91 * 24 * HOUR, now=NOW)
    assert str(caught.value) == (
        "prices must be asked for from 2025-12-01 00:00:00Z on, not from 2025-11-30 00:00:00Z: "
        "AWS keeps them for 90 days"
    )
    with pytest.raises(IntaglioError, match="the first moment must lie before"):
        aws.live_history(client, ["x"], NOW + 5, now=NOW)
    assert not client.asked


def test_a_refusal_is_one_line_and_a_wrong_record_is_named() -> None:
    with pytest.raises(ToolError, match="AWS must answer with prices, not with: no such type"):
        aws.live_history(Client(RefusedError("no such type")), ["x"], NOW - HOUR, now=NOW)
    with pytest.raises(IntaglioError, match="AWS us-east-1: record 2: SpotPrice must lie in"):
        aws.live_history(Client([row(1, "0.7"), row(1, "0.00001")]), ["x"], NOW - HOUR, now=NOW)
    with pytest.raises(ZeroDivisionError):
        aws.live_history(Client(ZeroDivisionError()), ["x"], NOW - HOUR, now=NOW)


def test_without_boto3_one_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws, "find_spec", lambda _: None)
    with pytest.raises(MissingToolError, match=r"pip install 'intaglio\[aws\]'"):
        aws.client("us-east-1")
    assert importlib.util.find_spec("intaglio.plan.aws")
