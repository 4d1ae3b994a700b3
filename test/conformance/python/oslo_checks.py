"""What users of oslo.messaging do, with the RPC servers `one` and `two` running already."""
import threading
import uuid

import oslo_messaging
from checks import check, equal, eventually, raises, run
from oslo_transport import RUN, TOPIC, notification_transport, rpc_transport

SECONDS_MAX = 20

notifications = notification_transport()
client = oslo_messaging.RPCClient(
    rpc_transport(), oslo_messaging.Target(topic=TOPIC, version="1.0"), timeout=SECONDS_MAX
)


def server(name):
    return client.prepare(server=name)


@check
def call_returns_what_the_server_does():
    value = {"text": "三", "list": [1, 2.5, None, True], "nested": {"deep": ["x"]}}
    answer = client.call({"user": "hare"}, "echo", value=value)
    equal(answer["value"], value)
    equal(answer["context"]["user"], "hare")


@check
def servers_share_a_topic():
    # A queue of the topic has both as consumers, and deals the calls out in turn.
    equal({client.call({}, "whoami") for _ in range(6)}, {"one", "two"})


@check
def a_call_can_name_its_server():
    equal([server(name).call({}, "whoami") for name in ("one", "two", "one")],
          ["one", "two", "one"])


@check
def a_large_argument_comes_back():
    value = "x" * 500_000
    equal(client.call({}, "echo", value=value)["value"], value)


@check
def calls_from_many_threads_have_their_own_answers():
    answers = {}

    def call(number):
        answers[number] = client.call({}, "echo", value=number)["value"]

    threads = [threading.Thread(target=call, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS_MAX)
    equal(answers, {number: number for number in range(12)})


@check
def namespaces_and_versions_are_told_apart():
    equal(client.prepare(namespace="other", version="2.0", server="one").call({}, "whoami"),
          "other one")
    raises(oslo_messaging.RPCVersionCapError, client.prepare(version="9.0", version_cap="1.0").call,
           {}, "whoami")
    error = raises(oslo_messaging.RemoteError, client.prepare(version="9.0").call, {}, "whoami")
    equal(error.exc_type, "UnsupportedVersion")
    error = raises(oslo_messaging.RemoteError, client.call, {}, "no_such_method")
    equal(error.exc_type, "NoSuchMethod")


@check
def an_exception_of_the_server_is_raised_here():
    error = raises(ValueError, client.call, {}, "fail")
    assert "no carrots" in str(error), error
    # One that is not known here comes as a RemoteError.
    error = raises(oslo_messaging.RemoteError, client.call, {}, "fail_in_its_own_way")
    equal((error.exc_type, error.value), ("BurrowError", "fox ahead"))


@check
def a_call_times_out():
    raises(oslo_messaging.MessagingTimeout,
           client.prepare(timeout=0.2, server="one").call, {}, "sleep", seconds=0.6)
    equal(server("one").call({}, "whoami"), "one")
    raises(oslo_messaging.MessagingTimeout,
           client.prepare(timeout=0.2, topic=f"nobody-{RUN}").call, {}, "whoami")


@check
def a_cast_reaches_one_server():
    text = str(uuid.uuid4())
    equal(client.cast({}, "note", text=text), None)

    def times_noted():
        return sum(server(name).call({}, "notes_so_far").count(text) for name in ("one", "two"))

    eventually(times_noted, "the note")
    equal(times_noted(), 1)


@check
def a_fanout_cast_reaches_every_server():
    text = str(uuid.uuid4())
    client.prepare(fanout=True).cast({}, "note", text=text)
    for name in ("one", "two"):
        eventually(lambda: text in server(name).call({}, "notes_so_far"), f"the note of {name}")


@check
def a_notification_reaches_every_pool_once():
    class Collector:
        def __init__(self):
            self.seen = []

        def info(self, context, publisher_id, event_type, payload, metadata):
            self.seen.append(("info", publisher_id, event_type, payload["number"]))

        def error(self, context, publisher_id, event_type, payload, metadata):
            self.seen.append(("error", publisher_id, event_type, payload["number"]))

    topic = f"notifications-{RUN}"
    collectors, listeners = [Collector(), Collector()], []
    for number, collector in enumerate(collectors):
        listener = oslo_messaging.get_notification_listener(
            notifications, [oslo_messaging.Target(topic=topic)], [collector],
            executor="threading", pool=f"pool-{number}-{RUN}")
        listener.start()
        listeners.append(listener)

    notifier = oslo_messaging.Notifier(
        notifications, publisher_id="checks", driver="messaging", topics=[topic])
    expected = []
    for number in range(5):
        notifier.info({}, "compute.start", {"number": number})
        notifier.error({}, "compute.fail", {"number": number})
        expected += [("info", "checks", "compute.start", number),
                     ("error", "checks", "compute.fail", number)]
    for collector in collectors:
        eventually(lambda: len(collector.seen) >= len(expected), "all notifications")
        # Each priority has a queue of its own, and in it the order holds.
        for priority in ("info", "error"):
            equal([each for each in collector.seen if each[0] == priority],
                  [each for each in expected if each[0] == priority])
    for listener in listeners:
        listener.stop()
        listener.wait()


@check
def a_notification_is_requeued_on_demand():
    seen = []

    class Choosy:
        def info(self, context, publisher_id, event_type, payload, metadata):
            seen.append(event_type)
            again = len(seen) < 3
            result = oslo_messaging.NotificationResult
            return result.REQUEUE if again else result.HANDLED

    topic = f"choosy-{RUN}"
    listener = oslo_messaging.get_notification_listener(
        notifications, [oslo_messaging.Target(topic=topic)], [Choosy()],
        executor="threading", allow_requeue=True)
    listener.start()
    notifier = oslo_messaging.Notifier(
        notifications, publisher_id="checks", driver="messaging", topics=[topic])
    notifier.info({}, "again", {})
    eventually(lambda: seen == ["again"] * 3, "three deliveries")
    listener.stop()
    listener.wait()


run()
