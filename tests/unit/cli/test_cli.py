"""The frame of the command line: what is wrong is said in one line, with a code for scripts, and without secrets."""

import pytest

from yunliao import cli


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"], {}) == 0
    shown = capsys.readouterr().out
    assert all(name.replace("_", "-") in shown for name in cli.COMMANDS)


@pytest.mark.parametrize("arguments", [[], ["no-such-command"], ["--nothing"]])
def test_a_wrong_command_line_is_said_to_be_one(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(arguments, {}) == 2
    assert "usage: python3 -m yunliao" in capsys.readouterr().err
