"""`summary` from the store and from log lines."""

import io
import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Run, environment
from yunliao import cli
from yunliao.bootstrap import build_services
from yunliao.settings import Settings


def count(folder: Path) -> None:
    services = build_services(Settings.from_env(environment(folder)))
    services.tally_book.turn(
        services.tally_book._clock.now_ms(),
        {
            "reason": "complete",
            "total_ms": 900,
            "first_text_ms": 60,
            "input_tokens": 41,
            "output_tokens": 97,
            "cost": 5,
        },
    )
    services.close()


def test_the_table_shows_what_was_counted(run: Run, tmp_path: Path) -> None:
    count(tmp_path)
    code, said = run("summary", "--hours", "2", "--days", "1")
    assert code == 0
    assert "0 live" in said and "41/97" in said and "100.0%" in said
    code, said = run("summary", "--json", "--hours", "2", "--days", "2")
    told = json.loads(said)
    assert sum(row["turns"] for row in told["days"]) == 1
    assert told["now"]["instances"] == 0  # it has ended, and the command itself is none


def test_log_lines_need_no_settings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "lines.log"
    line = '{"event": "turn", "turn": "t", "reason": "failed", "code": "relay_empty", "total_ms": 7, "at": %d}\n'
    file.write_text("not ours\n" + line % 1_795_256_000_000, "utf-8")
    out = io.StringIO()
    assert cli.main(["summary", "--json", "--from-logs", str(file)], {}, out) == 0
    assert "1 lines are no log lines" in capsys.readouterr().err
    told = json.loads(out.getvalue())
    assert told["now"] is None and told["hours"][-1]["errors"] == {"relay_empty": 1}
    assert cli.main(["summary", "--from-logs", str(tmp_path / "none.log")], {}) == 1
    assert "cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize("hours", ["x", "-1", "9999"])
def test_a_wrong_number_is_refused(run: Run, hours: str) -> None:
    assert run("summary", f"--hours={hours}")[0] == 2
