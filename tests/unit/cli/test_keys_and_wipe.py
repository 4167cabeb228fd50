"""`keys` and `wipe` from the outside: what they say, what they leave, and how they end."""

from pathlib import Path

import pytest

from tests.unit.cli.conftest import KEYS, Run, environment
from yunliao.bootstrap import build_services
from yunliao.domain.principal import Principal
from yunliao.settings import Settings

BOTH = f"k2:{KEYS['k2']},k1:{KEYS['k1']}"
CANARY = "o-openid-canary-1f9c"


def enrol(folder: Path, users: int) -> None:
    services = build_services(Settings.from_env(environment(folder)))
    for number in range(users):
        services.people.enrol(Principal(openid=f"{CANARY}{number}", appid="wx"))
    services.close()


def test_the_way_from_one_key_to_the_next(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    enrol(tmp_path, 7)
    assert run("keys", "status")[0] == 0
    code, said = run("keys", "status", YUNLIAO_MASTER_KEYS=BOTH)
    assert code == 0 and "k1" in said and "7" in said and "writes" in said
    code, _ = run("keys", "status", YUNLIAO_MASTER_KEYS=f"k2:{KEYS['k2']}")
    assert code == 4 and "lacks the key 'k1'" in capsys.readouterr().err
    code, said = run("keys", "rotate", YUNLIAO_MASTER_KEYS=BOTH)
    assert code == 0
    assert "Nothing is wrapped by k1 any more: remove it" in said
    code, said = run("keys", "rotate", YUNLIAO_MASTER_KEYS=f"k2:{KEYS['k2']}")
    assert code == 0 and "Everything is wrapped by the only key" in said
    assert CANARY not in said + capsys.readouterr().err
    code, _ = run("keys", "status")  # and the old key alone opens nothing any more
    assert code == 4 and "'k2'" in capsys.readouterr().err


def test_a_wrong_key_of_a_known_id_is_said_at_the_start(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("keys", "status")[0] == 0
    code, _ = run("keys", "status", YUNLIAO_MASTER_KEYS=f"k1:{KEYS['k2']}")
    said = capsys.readouterr().err
    assert code == 4 and "'k1'" in said and KEYS["k2"] not in said


def test_a_wipe_shows_first_and_does_nothing_unconfirmed(run: Run, tmp_path: Path) -> None:
    enrol(tmp_path, 3)
    code, said = run("wipe")
    assert code == 0 and "Database trial.db" in said and "Nothing was removed" in said
    code, said = run("wipe", "--for-good", "--confirm", "other.db")
    assert code == 1 and "nothing was removed" in said
    code, said = run("wipe", "--for-good")  # nobody at a terminal to type it
    assert code == 1
    code, said = run("keys", "status")
    assert code == 0 and "k1" in said and "3" in said


def test_a_confirmed_wipe_leaves_nothing_to_find(run: Run, tmp_path: Path) -> None:
    enrol(tmp_path, 3)
    services = build_services(Settings.from_env(environment(tmp_path)))
    user_id = services.people.user_id_of(Principal(openid=f"{CANARY}0", appid="wx"))
    [first, *_] = services.store.keys.users(after="", limit=1)
    users = [services.store.users.get(one.name) for one in services.store.keys.users(after="", limit=9)]
    shares = [services.key_store.get(one.key_id) for one in users if one]
    halves = [one.share for one in shares if one]
    assert len(halves) == 3
    services.close()
    code, said = run("wipe", "--for-good", "--confirm", "trial.db")
    assert code == 0 and "0 left" in said
    disk = b"".join(found.read_bytes() for found in tmp_path.iterdir())
    for trace in (user_id.encode(), first.blob[8:40], CANARY.encode()):
        assert trace not in disk
    for half in halves:
        assert half not in disk
    assert run("keys", "status", YUNLIAO_MASTER_KEYS=f"k2:{KEYS['k2']}")[0] == 0  # a new beginning, with any key
