# SPDX-License-Identifier: Apache-2.0
"""`intaglio cloud`: plans and prices from files, and one line about what cannot be used."""

from __future__ import annotations

import json
import re
import runpy
import shlex
from pathlib import Path

import pytest

from intaglio.plan.simulate import simulate
from tests.cli.tiny import intaglio
from tests.plan.test_simulate import spotty

PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "plan-a-cloud-job.md"
Capture = pytest.CaptureFixture[str]
JOB = """
name = "digits"
epochs = 12
checkpoint = 30
boot = "4m"
restore = "1m"
deadline = "10h"
source = "made up"
[epoch_seconds]
"f1.2xlarge" = 3000
"f1.4xlarge" = 2200
"f1.16xlarge" = 1600
"""


def written(folder: Path, text: str = JOB) -> Path:
    path = folder / "job.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_cheapest_schedule_by_a_deadline(tmp_path: Path, capsys: Capture) -> None:
    curve, gantt = tmp_path / "curve.csv", tmp_path / "gantt.png"
    more = ("--generate", 7, "--curve", curve, "--gantt", gantt, "--preemptions-per-hour", "0.05")
    assert intaglio("cloud", "plan", written(tmp_path), *more) == 0
    printed = capsys.readouterr().out
    assert "GENERATED prices, no real market: generator, seed 7" in printed
    assert "less money for" in printed
    assert "best saved every 34m38s" in printed
    first, *points = curve.read_text(encoding="utf-8").splitlines()
    assert first == "seconds,usd"
    assert len(points) > 10
    assert gantt.read_bytes().startswith(b"\x89PNG")


def test_a_plan_as_json(tmp_path: Path, capsys: Capture) -> None:
    assert intaglio("cloud", "plan", written(tmp_path), "--generate", 7, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["finish_seconds"] <= document["deadline_seconds"] == 36_000
    costs = [stint["cost_micro_usd"] for stint in document["schedule"]]
    assert sum(costs) == document["cost_micro_usd"]
    assert document["bound_micro_usd"] <= document["floor_micro_usd"] <= sum(costs)
    assert sum(stint["epochs"] for stint in document["schedule"]) == pytest.approx(12, rel=1e-3)


def test_the_fastest_schedule_within_a_budget_and_none(tmp_path: Path, capsys: Capture) -> None:
    job = written(tmp_path)
    assert intaglio("cloud", "plan", job, "--kinds", "list", "--budget", "20", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["cost_micro_usd"] <= 20_000_000
    assert intaglio("cloud", "plan", job, "--kinds", "list", "--budget", "2") == 1
    assert "must cost $2.00 at most, and nothing is that cheap" in capsys.readouterr().err


def test_a_deadline_and_a_budget_together(tmp_path: Path, capsys: Capture) -> None:
    words = ("cloud", "plan", written(tmp_path), "--kinds", "list", "--deadline", "8h", "--budget")
    assert intaglio(*words, "90", "--json") == 0
    assert json.loads(capsys.readouterr().out)["cost_micro_usd"] <= 90_000_000
    assert intaglio(*words, "20") == 1
    assert "must cost $20.00 at most, and within 8h the least is $" in capsys.readouterr().err


def test_made_up_prices_are_saved_shown_and_planned_with(tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "prices.csv"
    made = ("--generate", 3, "--family", "aws-f1", "--zones", "us-east-1d", "-o", file)
    assert intaglio("cloud", "prices", *made) == 0
    first = capsys.readouterr().out.splitlines()
    assert intaglio("cloud", "prices", "--prices", file) == 0
    again = capsys.readouterr().out.splitlines()
    assert again[1:] == first[1:-1]
    assert intaglio("cloud", "plan", written(tmp_path), "--prices", file, "--json") == 0
    assert "GENERATED" in json.loads(capsys.readouterr().out)["prices"]


@pytest.mark.parametrize(
    ("more", "status", "said"),
    [
        (
            "--deadline 2h",
            1,
            "nothing is that fast: f1.16xlarge, the fastest size, takes 5h25m30s without a pause, "
            "3h25m30s more, so give it more time",
        ),
        ("--deadline soon", 2, "--deadline must be a time such as 1d3h20m"),
        ("--prices x.csv", 2, "prices must be read or made up: give one of --prices, --generate"),
        ("--kinds cheap", 2, "--kinds must be spot, list or both, not 'cheap'"),
        ("--start 2020-01-01", 2, "--start must have a time zone"),
        ("--start 2020-01-01T00:00:00Z", 2, "the job must begin between 2026-01-01 00:00:00Z and"),
        ("--availability trace.json", 2, "--availability must be like p3.2xlarge=FILE"),
        ("--preemptions-per-hour -1", 2, "--preemptions-per-hour must be from 0 to 60, not -1"),
        ("--curve curve.txt", 2, "--curve must end in .csv or .png, not be 'curve.txt'"),
        ("--gantt gantt.svg", 2, "--gantt must end in .png, not be 'gantt.svg'"),
    ],
)
def test_what_cannot_be_used_is_one_line(
    tmp_path: Path, capsys: Capture, more: str, status: int, said: str
) -> None:
    assert intaglio("cloud", "plan", written(tmp_path), "--generate", 1, *more.split()) == status
    complaint = capsys.readouterr().err
    assert said in complaint
    assert complaint.count("\n") == 1


def test_prices_need_a_source(capsys: Capture) -> None:
    assert intaglio("cloud", "prices") == 2
    assert "prices must come from somewhere" in capsys.readouterr().err
    assert intaglio("cloud", "prices", "--family", "aws-f2") == 2
    assert "listed: f2.6xlarge $1.98 in us-east-1" in capsys.readouterr().err
    assert intaglio("cloud", "prices", "--live", "us-east-1") == 2
    assert "--live must have a --family, one of aws-f1, aws-f2" in capsys.readouterr().err


def test_policies_on_made_up_prices(tmp_path: Path, capsys: Capture) -> None:
    runs, plot, gantt = tmp_path / "runs.csv", tmp_path / "plot.png", tmp_path / "gantt.png"
    files = ("--runs", runs, "--plot", plot, "--gantt", gantt)
    more = ("--generate", 7, "--zones", "us-east-1a", "--starts", 2, *files)
    assert intaglio("cloud", "simulate", written(tmp_path), *more) == 0
    printed = capsys.readouterr().out
    assert "GENERATED prices, no real market" in printed
    assert "no deadline can be missed while f1.16xlarge list us-east-1 can be had" in printed
    assert len(runs.read_text(encoding="utf-8").splitlines()) == 1 + 2 * 5
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert gantt.read_bytes().startswith(b"\x89PNG")


def test_several_deadlines_and_machines_taken_away(tmp_path: Path, capsys: Capture) -> None:
    plot = tmp_path / "plot.png"
    more = ("--generate", 7, "--zones", "us-east-1a", "--starts", 2, "--plot", plot, "--json")
    reclaimed = ("--slack", "0.2,0.5", "--policies", "reactive,mpc", "--reclaim", "1")
    assert intaglio("cloud", "simulate", written(tmp_path), *more, *reclaimed) == 0
    first, second = json.loads(capsys.readouterr().out)["deadlines"]
    assert first["deadline_seconds"] < second["deadline_seconds"]
    assert first["policies"]["mpc"]["late"] == 0
    assert first["policies"]["mpc"]["median"] >= 1
    assert plot.is_file()


def test_a_trace_of_availability_and_an_assumed_price(tmp_path: Path, capsys: Capture) -> None:
    trace = tmp_path / "trace.json"
    data = [int(tick % 17 < 11) for tick in range(600)]
    trace.write_text(json.dumps({"metadata": {"gap_seconds": 300}, "data": data}), encoding="utf-8")
    job = written(tmp_path, re.sub(r'"f1\.(2|4)x.*\n', "", JOB))
    known = ("--spot-share", "0.3", "--availability", f"f1.16xlarge={trace}")
    assert intaglio("cloud", "simulate", job, *known, "--starts", 3) == 0
    printed = capsys.readouterr().out
    assert "GENERATED prices, no real market: assumed at 0.3 of list price" in printed
    assert "uniform" in printed


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("--policies luck", "a policy must be one of fixed, cheapest, uniform, reactive, mpc"),
        ("--slack much", "--slack must be shares of time such as 0.08,0.16, not 'much'"),
        ("--starts 0", "there must be a start at least, not 0"),
        ("--preemptions-per-hour 0", "--preemptions-per-hour must be over 0 and below 60, not 0"),
        ("--processes 0", "--processes must be from 1 to 256, not 0"),
    ],
)
def test_what_cannot_be_simulated_is_one_line(
    tmp_path: Path, capsys: Capture, more: str, said: str
) -> None:
    words = ("cloud", "simulate", written(tmp_path), "--generate", 1, *more.split())
    assert intaglio(*words) == 2
    assert said in capsys.readouterr().err


def shown(language: str) -> list[str]:
    """Return the code of one language in the howto."""
    text = PAGE.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def test_the_commands_of_the_howto_run_in_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for text in shown("toml"):
        Path(re.findall(r"# (\w+\.toml)", text)[0]).write_text(text, encoding="utf-8")
    lines = [line for block in shown("console") for line in block.splitlines()]
    assert len(lines) >= 6
    for line in lines:
        program, *words = shlex.split(line)
        assert program == "intaglio"
        assert intaglio(*words) == 0, line
    assert {path.name for path in tmp_path.glob("*.png")} == {
        "curve.png",
        "schedule.png",
        "policies.png",
        "run.png",
        "time.png",
    }


def test_the_policy_of_the_howto_is_never_late(tmp_path: Path) -> None:
    path = tmp_path / "patient.py"
    path.write_text(shown("python")[0], encoding="utf-8")
    names = runpy.run_path(str(path), run_name="patient")
    ride = simulate(spotty(1), names["Patient"](), first=0, slots=30, save_every=900)
    assert ride.finish is not None


def test_the_python_of_the_howto_runs(tmp_path: Path) -> None:
    path = tmp_path / "planned.py"
    path.write_text(shown("python")[1], encoding="utf-8")
    names = runpy.run_path(str(path), run_name="planned")
    assert names["best"].floor <= names["ride"].cost
    assert names["ride"].finish <= 100 * 600


def test_a_training_is_carried_through_a_policy(tmp_path: Path, capsys: Capture) -> None:
    short = JOB.replace("epochs = 12", "epochs = 2").replace('"10h"', '"20h"')
    words = ("cloud", "run", written(tmp_path, short), "--generate", 3, "-o", tmp_path / "run")
    more = ("--policy", "reactive", "--images", 50, "--moment", "0.5")
    assert intaglio(*words, *more) == 0
    printed = capsys.readouterr().out
    assert "2 of 2 epochs on 1 machines, 0 taken away" in printed
    assert "within the deadline of 20h" in printed
    assert intaglio(*words, *more, "--json") == 0
    assert json.loads(capsys.readouterr().out)["done"]
    assert intaglio(*words, *more, "--seed", 1) == 2
    assert "must be of this training, not of another" in capsys.readouterr().err


def test_a_plan_is_handed_over_as_files(tmp_path: Path, capsys: Capture) -> None:
    words = ("cloud", "run", written(tmp_path), "--generate", 3, "-o", tmp_path / "out")
    assert intaglio(*words, "--provider", "skypilot") == 0
    assert "nothing is rented; sky jobs launch" in capsys.readouterr().out
    assert intaglio(*words, "--provider", "aws", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert all(Path(path).is_file() for path in document["files"])
    assert not document["launched"]


@pytest.mark.parametrize(
    ("old", "new", "more", "said"),
    [
        ("epochs = 12", "epochs = 2.5", "", "epochs must be a whole number to be trained, not 2.5"),
        ('deadline = "10h"', "", "", "must have a deadline, or give --deadline"),
        ("epochs", "epochs", "--policy luck", "a policy must be one of fixed"),
    ],
)
def test_what_cannot_be_run_is_one_line(
    tmp_path: Path, capsys: Capture, old: str, new: str, more: str, said: str
) -> None:
    job = written(tmp_path, JOB.replace(old, new))
    words = ("cloud", "run", job, "--generate", 1, "-o", tmp_path / "run", *more.split())
    assert intaglio(*words) == 2
    assert said in capsys.readouterr().err
