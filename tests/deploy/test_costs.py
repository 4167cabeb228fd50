"""The bill, and that what it is computed from can be measured."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from costs.bill import HOURS, Measured, bill

ROOT = Path(__file__).parents[2]
LIGHT = Measured(cpu_seconds=40, checks=4_000, store_mb=2.6, idle_mb=80, busy_mb=120)


def test_few_answers_cost_the_smallest_instance_that_is_always_on() -> None:
    found = bill(LIGHT, 1_000)
    assert (found.size, found.instances) == ((0.25, 0.5), 1)
    assert found.yuan == pytest.approx((0.25 * 0.055 + 0.5 * 0.032) * HOURS)
    assert found.worked_yuan == pytest.approx(1_000 * 30 * 0.040 / 3600 * 0.055)
    assert found.checks_a_day == 4_000
    assert found.store_gb == pytest.approx(30 * 2.6 / 1024)


def test_more_answers_take_more_and_more_memory_takes_a_larger_one() -> None:
    bills = [bill(LIGHT, answers) for answers in (1_000, 100_000, 1_000_000)]
    assert bills[0].yuan < bills[1].yuan < bills[2].yuan
    assert bills[2].instances > 1
    hungry = Measured(cpu_seconds=40, checks=4_000, store_mb=2.6, idle_mb=300, busy_mb=900)
    assert bill(hungry, 1_000).size == (1.0, 2.0)


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_it_is_measured_through_the_whole_platform() -> None:
    path = os.pathsep.join(str(ROOT / name) for name in ("tools", "container", "."))
    command = [sys.executable, "-m", "costs", "--answers", "8", "--people", "4", "--store", "sqlite"]
    ran = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert "8 answers measured" in ran.stderr
    lines = [line.split() for line in ran.stdout.splitlines() if line.strip()]
    figures = {
        line[1]: float(line[2].replace(",", "")) for line in lines if line[1] in ("processor", "msg_sec_check", "store")
    }
    assert figures["processor"] > 0 and figures["store"] > 0
    assert figures["msg_sec_check"] >= 2_000  # the question and at least one window of the answer
