"""The product's own gunicorn configuration; on SIGUSR2 the worker also writes down what lives in it, for the soak."""

import os
import pathlib

exec(compile(pathlib.Path("gunicorn.conf.py").read_text("utf-8"), "gunicorn.conf.py", "exec"))
_product_init = post_worker_init  # type: ignore[name-defined]  # noqa: F821


def _count(path: pathlib.Path) -> None:
    import gc

    from greenlet import greenlet

    objects = gc.get_objects()
    living = sum(1 for one in objects if isinstance(one, greenlet) and not one.dead)
    path.with_suffix(".new").write_text(f"{living} {len(objects)}")
    path.with_suffix(".new").replace(path)


def post_worker_init(worker):  # type: ignore[no-untyped-def]
    """As the product's, and the signal."""
    import signal

    import gevent

    _product_init(worker)
    gevent.signal_handler(signal.SIGUSR2, _count, pathlib.Path(os.environ["BENCH_COUNT"]))
