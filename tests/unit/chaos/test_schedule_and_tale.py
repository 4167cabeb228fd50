"""A seed gives the same campaign again; the demo relay continues as models do."""

from collections import Counter

from chaos import tale
from chaos.schedule import INSTANCE, STORE, schedule
from chaos.takeover import pause_after
from chaos.trouble import KINDS, relay_trouble
from yunliao.domain.context import GO_ON
from yunliao.domain.joining import Joiner

MARKER = "[u07-0003]"


def test_a_seed_gives_the_same_schedule_and_another_another() -> None:
    assert schedule("a", 300, 3) == schedule("a", 300, 3) != schedule("b", 300, 3)
    faults = schedule("a", 1200, 3, STORE)
    assert all(0 < fault.at < 1200 for fault in faults)
    assert {fault.target for fault in faults if fault.kind in INSTANCE} == {1, 2, 3}
    assert set(STORE) < {fault.kind for fault in faults}
    assert not set(STORE) & {fault.kind for fault in schedule("a", 1200, 3)}


def test_the_same_question_meets_the_same_trouble() -> None:
    messages = [{"role": "user", "content": f"{MARKER} 请讲"}]
    first, second = relay_trouble("s", Counter()), relay_trouble("s", Counter())
    assert [first(messages) for _ in range(20)] == [second(messages) for _ in range(20)]


def test_every_kind_of_trouble_comes() -> None:
    seen: Counter[str] = Counter()
    choose = relay_trouble("s", seen)
    for number in range(1500):
        choose([{"role": "user", "content": f"[u01-{number:04d}] 请讲"}])
    assert set(seen) == {name for _, name, _ in KINDS}


def test_every_continuation_joins_to_the_true_answer() -> None:
    wrong: list[str] = []
    compose = tale.composer("s", wrong)
    for number in range(60):
        marker = f"[u01-{number:04d}]"
        whole = tale.answer("s", marker)
        for cut in (5, len(whole) // 2, len(whole) - 3):
            said = whole[:cut]
            more = compose(
                [
                    {"role": "user", "content": f"{marker} 请讲"},
                    {"role": "assistant", "content": said},
                    {"role": "user", "content": GO_ON},
                ]
            )
            joiner = Joiner(said)
            assert said + "".join(joiner.feed(part) for part in more) + joiner.finish() == whole
    assert not wrong


def test_a_wrong_beginning_is_noted() -> None:
    wrong: list[str] = []
    said = [{"role": "user", "content": MARKER}, {"role": "assistant", "content": "别的"}]
    tale.composer("s", wrong)([*said, {"role": "user", "content": GO_ON}])
    assert len(wrong) == 1 and MARKER in wrong[0]


def test_the_pause_is_the_silence_around_the_kill() -> None:
    assert pause_after([0.0, 1.0, 2.0, 9.0, 9.5], 2.5) == (6.5, 7.0)
    assert pause_after([0.0, 1.0], 2.0) == (0.0, 0.0)
