"""`python3 -m costs`: measures, then computes the bill; tools/, container/ and the root on the path."""

import argparse
import sys

from costs.bill import bill
from costs.measure import measure
from costs.options import add_options


def main() -> int:
    """0 when it was measured."""
    parser = argparse.ArgumentParser(prog="python3 -m costs")
    add_options(parser)
    options = parser.parse_args()
    if sys.platform != "linux":
        print("Linux is needed: elsewhere nothing tells what a process took.", file=sys.stderr)
        return 1
    found = measure(
        answers=options.answers,
        people=options.people,
        store=options.store,
        say=lambda line: print(line, file=sys.stderr),
    )
    total = bill(found, options.answers_a_day)
    print(
        f"""
每 1,000 个回答 · for 1,000 answers of about 400 characters ({options.store})
  处理器 processor           {found.cpu_seconds:8.1f} s
  内容安全 msg_sec_check     {found.checks:8,.0f} 次 calls (free; {2_000_000:,} a day for an appid)
  数据库 store               {found.store_mb:8.2f} MB
  内存 memory                {found.idle_mb:8.0f} MB, {found.busy_mb:.0f} MB with {options.people} people at once

每天 {options.answers_a_day:,} 个回答，30 天 · {options.answers_a_day:,} answers a day, 30 days
  实例 instances             {total.instances} x {total.size[0]} core, {total.size[1]:g} GB, one always on
  云托管 Cloud Run           {total.yuan:8.2f} 元 yuan (processor at work: {total.worked_yuan:.2f})
  内容安全 msg_sec_check     {total.checks_a_day:8,.0f} 次/天 calls a day
  数据库 store               {total.store_gb:8.2f} GB more each 30 days
  不含：数据库与模型服务本身 · not in it: the database and the model service themselves
"""
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
