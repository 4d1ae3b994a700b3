"""The Celery application of celery_checks.py: imported by its workers and by the checks.

RUN makes the names of this run its own, on a broker that others use too.
"""
import os
import socket
import time

from celery import Celery
from kombu import Queue

RUN = os.environ["RUN"]
DEFAULT, CHORDS, URGENT, LATE = (f"{name}-{RUN}" for name in ("celery", "chords", "urgent", "late"))


def application(result_backend):
    app = Celery("interop", broker=os.environ["AMQP_URL"], backend=result_backend)
    app.conf.update(
        task_default_queue=DEFAULT,
        task_queues=[
            Queue(DEFAULT),
            Queue(CHORDS),
            Queue(URGENT, queue_arguments={"x-max-priority": 10}),
            Queue(LATE),
        ],
        worker_prefetch_multiplier=1,
        worker_send_task_events=True,
        result_chord_retry_interval=0.1,
        broker_connection_retry_on_startup=True,
    )
    define_tasks(app)
    return app


def define_tasks(app):
    @app.task(name="interop.add")
    def add(x, y):
        return x + y

    @app.task(name="interop.total")
    def total(numbers):
        return sum(numbers)

    @app.task(name="interop.fail")
    def fail():
        raise ValueError("no carrots")

    @app.task(name="interop.retried", bind=True, max_retries=5)
    def retried(self, times):
        if self.request.retries < times:
            raise self.retry(countdown=0.05)
        return self.request.retries

    @app.task(name="interop.started_at")
    def started_at():
        return time.time()

    executed = []

    @app.task(name="interop.in_order")
    def in_order(name):
        """The names so far: in one process, so the order in which they were executed."""
        executed.append(name)
        return list(executed)

    @app.task(name="interop.hold", bind=True, acks_late=True)
    def hold(self):
        """Never ends, unless another worker had it before and died."""
        while not self.request.delivery_info["redelivered"]:
            time.sleep(0.1)
        return self.request.hostname

    @app.task(name="interop.whereabouts", bind=True, acks_late=True)
    def whereabouts(self):
        return self.request.hostname


app = application(os.environ.get("RESULT_BACKEND", "rpc://"))
HOST = socket.gethostname()
