"""What Celery users do, against two workers that are running already.

FIRST is a prefork worker with results over rpc://, on the default queue. SECOND has a solo pool
(one process, one task at a time) and results in files, on the queue of chords; its process id is
in SECOND_PID, because it is killed in the end.
"""
import datetime
import os
import signal
import threading
import time

import celery_app
from celery import chain, chord, group
from celery.exceptions import TaskRevokedError
from celery_app import CHORDS, LATE, URGENT, application
from checks import check, equal, eventually, raises, run

FIRST, SECOND = os.environ["FIRST"], os.environ["SECOND"]
SECONDS_MAX = 20

app = celery_app.app
task = {name.split(".")[1]: app.tasks[name] for name in app.tasks if name.startswith("interop.")}


def get(result):
    return result.get(timeout=SECONDS_MAX)


def ready_count(queue):
    with app.connection_for_write() as connection:
        return connection.default_channel.queue_declare(queue, passive=True).message_count


@check
def workers_answer_a_ping():
    answers = app.control.inspect(destination=[FIRST, SECOND], timeout=SECONDS_MAX).ping()
    equal(answers, {FIRST: {"ok": "pong"}, SECOND: {"ok": "pong"}})


@check
def inspect_tells_queues_tasks_and_statistics():
    inspect = app.control.inspect(destination=[FIRST], timeout=SECONDS_MAX)
    equal([queue["name"] for queue in inspect.active_queues()[FIRST]], [celery_app.DEFAULT])
    assert "interop.add" in inspect.registered()[FIRST]
    equal(inspect.stats()[FIRST]["broker"]["transport"], "amqp")


@check
def a_task_has_its_result_over_rpc():
    equal(type(app.backend).__module__, "celery.backends.rpc")
    result = task["add"].delay(2, 3)
    equal(get(result), 5)
    equal(result.state, "SUCCESS")


@check
def a_failed_task_raises_here():
    result = task["fail"].delay()
    error = raises(ValueError, get, result)
    equal((str(error), result.state), ("no carrots", "FAILURE"))


@check
def a_chain_passes_results_on():
    equal(get(chain(task["add"].s(2, 2), task["add"].s(4), task["add"].s(8))()), 16)


@check
def a_group_gathers_results_in_order():
    equal(get(group(task["add"].s(i, i) for i in range(10))()), [2 * i for i in range(10)])


@check
def a_task_is_retried():
    equal(get(task["retried"].delay(2)), 2)


@check
def countdown_and_eta_delay_a_task():
    before = time.time()
    by_countdown = task["started_at"].apply_async(countdown=0.3)
    eta = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=0.3)
    by_eta = task["started_at"].apply_async(eta=eta)
    assert get(by_countdown) >= before + 0.3
    assert get(by_eta) >= eta.timestamp()


@check
def tasks_of_a_later_hour_do_not_hold_up_others():
    # The worker keeps them, and asks for as many messages more as they are.
    for _ in range(6):
        task["add"].apply_async((1, 1), countdown=3_600)
    inspect = app.control.inspect(destination=[FIRST], timeout=SECONDS_MAX)
    eventually(lambda: len(inspect.scheduled()[FIRST]) == 6, "six tasks kept by the worker")
    equal(ready_count(celery_app.DEFAULT), 0)
    equal(get(task["add"].delay(2, 3)), 5)


@check
def a_revoked_task_is_not_executed():
    result = task["add"].apply_async((1, 1), countdown=0.5)
    app.control.revoke(result.id, destination=[FIRST], reply=True, timeout=SECONDS_MAX)
    raises(TaskRevokedError, get, result)


@check
def events_tell_of_a_task():
    seen, wanted = [], {"task-received", "task-started", "task-succeeded"}
    listening = threading.Event()

    def listen():
        with app.connection_for_read() as connection:
            receiver = app.events.Receiver(connection, handlers={"*": seen.append})
            consuming = receiver.itercapture(timeout=SECONDS_MAX, wakeup=False)
            next(consuming)  # the consumer stands
            listening.set()
            for _ in consuming:
                if wanted <= {event["type"] for event in seen}:
                    return

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    assert listening.wait(SECONDS_MAX)
    get(task["add"].delay(1, 1))
    thread.join(SECONDS_MAX)
    assert wanted <= {event["type"] for event in seen}, seen


@check
def a_chord_needs_another_backend_and_runs_over_files():
    raises(NotImplementedError, chord([task["add"].s(1, 1)]), task["total"].s())
    over_files = application(os.environ["FILE_BACKEND"])
    add, total = over_files.tasks["interop.add"], over_files.tasks["interop.total"]
    header = [add.s(i, i).set(queue=CHORDS) for i in range(4)]
    equal(get(chord(header)(total.s().set(queue=CHORDS))), 12)


@check
def urgent_tasks_go_first():
    # Nobody consumes the queue until all are in it.
    over_files = application(os.environ["FILE_BACKEND"])
    in_order = over_files.tasks["interop.in_order"]
    results = [
        in_order.apply_async((str(priority),), queue=URGENT, priority=priority)
        for priority in (0, 3, 9, 6)
    ]
    eventually(lambda: ready_count(URGENT) == 4, "four tasks in the queue")
    app.control.add_consumer(URGENT, destination=[SECOND], reply=True, timeout=SECONDS_MAX)
    equal(max((get(result) for result in results), key=len), ["9", "6", "3", "0"])


@check
def a_worker_killed_in_a_late_acked_task_loses_nothing():
    app.control.add_consumer(LATE, destination=[SECOND], reply=True, timeout=SECONDS_MAX)
    held = task["hold"].apply_async(queue=LATE)
    eventually(lambda: ready_count(LATE) == 0, "the task at the second worker")
    others = [task["whereabouts"].apply_async(queue=LATE) for _ in range(3)]
    # The second worker's prefetch of one is taken by the task it holds.
    eventually(lambda: ready_count(LATE) == 3, "three tasks waiting")

    app.control.add_consumer(LATE, destination=[FIRST], reply=True, timeout=SECONDS_MAX)
    equal([get(result) for result in others], [FIRST] * 3)
    os.kill(int(os.environ["SECOND_PID"]), signal.SIGKILL)
    equal(get(held), FIRST)


run()
