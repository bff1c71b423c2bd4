# SPDX-License-Identifier: Apache-2.0
"""Running programs: what is logged, what is reported, and that nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from intaglio.errors import MissingToolError, ToolError
from intaglio.tools.process import (
    StuckError,
    installed_version,
    run_logged,
    scratch_folder,
)


def python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


def alive(pid: int) -> bool:
    """Tell whether a process runs; one that is dead and not yet waited for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def gone(pid: int) -> bool:
    end = time.monotonic() + 5
    while alive(pid) and time.monotonic() < end:
        time.sleep(0.02)
    return not alive(pid)


def test_output_goes_to_the_log_and_to_the_listener_line_by_line(tmp_path: Path) -> None:
    log, lines = tmp_path / "logs" / "tool.log", []
    program = "import sys; print('one'); sys.stderr.write('two\\n'); print('thr\\u00e9e', end='')"
    run_logged(
        [sys.executable, "-u", "-X", "utf8", "-c", program],
        cwd=tmp_path,
        log=log,
        on_line=lines.append,
    )
    assert lines == ["one", "two", "thrée"]
    first, *rest = log.read_text(encoding="utf-8").splitlines()
    assert first.startswith(f"$ cd {tmp_path} && {sys.executable} -u")
    assert rest == lines


def test_a_log_is_added_to(tmp_path: Path) -> None:
    for word in ("one", "two"):
        run_logged(["echo", word], cwd=tmp_path, log=tmp_path / "log")
    assert (tmp_path / "log").read_text().splitlines()[1::2] == ["one", "two"]


def test_a_program_runs_in_its_folder_with_variables_added(tmp_path: Path) -> None:
    program = "import os; print(os.getcwd(), os.environ['WORD'], 'PATH' in os.environ)"
    lines: list[str] = []
    run_logged(
        python(program),
        cwd=tmp_path,
        log=tmp_path / "log",
        on_line=lines.append,
        env={"WORD": "hello"},
    )
    assert lines == [f"{tmp_path.resolve()} hello True"]


def test_a_failure_is_one_line_with_status_first_complaint_and_log(tmp_path: Path) -> None:
    program = "print('0 errors yet'); print('a.sv:2: ERROR: bad'); print('error: 2'); exit(3)"
    with pytest.raises(ToolError) as error:
        run_logged(python(program), cwd=tmp_path, log=tmp_path / "log", name="tool")
    log = tmp_path / "log"
    text = f"tool must end with status 0, not status 3: a.sv:2: ERROR: bad; see {log}"
    assert str(error.value) == text
    assert error.value.exit_status == 1


def test_without_a_complaint_the_last_line_is_told(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="not status 1: so it goes; see"):
        run_logged(python("print('so it goes\\n'); exit(1)"), cwd=tmp_path, log=tmp_path / "log")
    with pytest.raises(ToolError, match="not status 1; see"):
        run_logged(python("exit(1)"), cwd=tmp_path, log=tmp_path / "log")


def test_a_program_killed_from_outside_is_told_by_its_signal(tmp_path: Path) -> None:
    program = "import os; os.kill(os.getpid(), 15)"
    with pytest.raises(ToolError, match="must end with status 0, not signal SIGTERM; see"):
        run_logged(python(program), cwd=tmp_path, log=tmp_path / "log")


def test_a_missing_program_is_told(tmp_path: Path) -> None:
    with pytest.raises(MissingToolError) as error:
        run_logged(["no-such-tool"], cwd=tmp_path, log=tmp_path / "log")
    assert str(error.value) == "no-such-tool must be installed to be run, and it is not"
    assert error.value.exit_status == 3


def test_a_missing_package_is_told_with_how_to_get_it() -> None:
    assert installed_version("numpy", "numpy", "numpy>=1") == sys.modules["numpy"].__version__
    with pytest.raises(MissingToolError) as error:
        installed_version("no-such", "no_such_module", "no-such==1.0")
    text = "no-such must be installed for this step, and it is not: pip install no-such==1.0"
    assert str(error.value) == text


def test_a_program_that_takes_too_long_is_killed_with_its_children(tmp_path: Path) -> None:
    program = "import os, time; print(os.getpid(), os.fork(), flush=True); time.sleep(60)"
    pids: list[int] = []
    begin = time.monotonic()
    with pytest.raises(StuckError, match=r"tool must end within 3 s, and it has not; see .*log"):
        run_logged(
            python(program),
            cwd=tmp_path,
            log=tmp_path / "log",
            timeout_s=3,
            on_line=lambda line: pids.extend(map(int, line.split())),
            name="tool",
        )
    assert time.monotonic() - begin < 30
    pids.remove(0)
    assert len(pids) >= 2
    assert all(gone(pid) for pid in pids)


def test_a_program_that_says_nothing_for_too_long_is_killed(tmp_path: Path) -> None:
    program = "import time; [print(time.sleep(0.6), flush=True) for _ in range(3)]; time.sleep(60)"
    lines: list[str] = []
    with pytest.raises(StuckError) as error:
        run_logged(
            python(program),
            cwd=tmp_path,
            log=tmp_path / "log",
            silence_s=1.5,
            on_line=lines.append,
            name="tool",
        )
    assert str(error.value) == (
        f"tool must go on within 1.5 s, and it has not; see {tmp_path / 'log'}"
    )
    assert len(lines) == 3


@pytest.mark.parametrize("kind", [KeyboardInterrupt, ZeroDivisionError])
def test_an_interrupted_program_is_killed_and_its_files_removed(
    tmp_path: Path, kind: type[BaseException]
) -> None:
    program = (
        "import os, tempfile, time; print(os.getpid(), tempfile.mkdtemp(), flush=True)\n"
        "time.sleep(60)"
    )
    seen: list[str] = []

    def stop(line: str) -> None:
        seen.extend(line.split())
        raise kind

    with pytest.raises(kind):
        run_logged(python(program), cwd=tmp_path, log=tmp_path / "log", on_line=stop)
    assert gone(int(seen[0]))
    assert not Path(seen[1]).exists()
    assert not Path(seen[1]).parent.exists()


def test_a_program_does_not_outlive_this_process(tmp_path: Path) -> None:
    program = f"""
from pathlib import Path
from intaglio.tools.process import run_logged
sleep = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
run_logged([{sys.executable!r}, "-c", sleep], cwd=Path({str(tmp_path)!r}),
           log=Path({str(tmp_path / "log")!r}), on_line=lambda line: print(line, flush=True))
"""
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(python(program), stdout=subprocess.PIPE, env=environment) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert alive(pid)
        parent.send_signal(signal.SIGKILL)
    assert gone(pid)


def test_a_scratch_folder_begins_empty_and_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b"
    path.mkdir(parents=True)
    (path / "left by a killed run").touch()
    with scratch_folder(path) as scratch:
        assert list(scratch.iterdir()) == []
        (scratch / "file").touch()
    assert not path.exists()
