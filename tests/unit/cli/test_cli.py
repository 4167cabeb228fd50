"""The frame of the command line: what is wrong is said in one line, with a code for scripts, and without secrets."""

import argparse

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


@pytest.mark.parametrize("user", ["-" + "a" * 42, "--" + "b" * 41, "-_" + "c" * 10, "u" * 43])
def test_an_id_that_begins_with_a_dash_is_an_id(user: str) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("user", type=cli.whole_id)
    parser.add_argument("--to", type=cli.whole_id)
    parser.add_argument("--reason")
    given = [cli._shielded(argument) for argument in (user, "--to", user, "--reason", "spam")]
    found = parser.parse_args(given)
    assert (found.user, found.to, found.reason) == (user, user, "spam")
