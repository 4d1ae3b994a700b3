"""pika's BlockingConnection: operations, confirms, consumers, and the errors it raises."""
import os
import threading
import uuid

import pika
from checks import check, equal, eventually, raises, run
from pika.exceptions import (
    AMQPConnectionError,
    ChannelClosedByBroker,
    ChannelWrongStateError,
    ConnectionClosedByBroker,
    NackError,
    ProbableAccessDeniedError,
    ProbableAuthenticationError,
    UnroutableError,
)

PARAMETERS = pika.URLParameters(os.environ["AMQP_URL"])
connection = pika.BlockingConnection(PARAMETERS)


def unique(kind):
    return f"{kind}-{uuid.uuid4()}"


def queue_of(channel, **options):
    return channel.queue_declare("", exclusive=True, **options).method.queue


def pump(holds, what):
    """Process events until it holds; a single call may return before anything came."""
    eventually(lambda: connection.process_data_events(0.05) or holds(), what, step=0)


def closed_by_broker(function, *args, **kwargs):
    """The reply code and text of the channel exception that the call must cause."""
    error = raises(ChannelClosedByBroker, function, *args, **kwargs)
    return error.reply_code, error.reply_text


@check
def capabilities_that_pika_looks_at():
    assert connection.publisher_confirms_supported
    assert connection.basic_nack_supported
    assert connection.consumer_cancel_notify_supported
    assert connection.exchange_exchange_bindings_supported


@check
def every_property_and_header_type_round_trips():
    from datetime import datetime
    from decimal import Decimal

    with connection.channel() as channel:
        queue = queue_of(channel)
        headers = {
            "text": "三", "bytes": b"\x00\xff", "bool": False, "int": 7, "negative": -7,
            "long": 2**40, "none": None, "list": [1, "two", [3]],
            "table": {"nested": {"deep": 1}}, "when": datetime(2026, 1, 2, 3, 4, 5),
            "decimal": Decimal("3.14"),
        }
        properties = pika.BasicProperties(
            content_type="text/plain", content_encoding="utf-8", headers=headers, delivery_mode=2,
            priority=3, correlation_id="c", reply_to="r", expiration="60000", message_id="m",
            timestamp=1700000000, type="t", user_id="guest", app_id="a", cluster_id="cl",
        )
        channel.confirm_delivery()
        channel.basic_publish("", queue, "body 世界", properties)
        method, got, body = channel.basic_get(queue, auto_ack=True)
        equal(body.decode(), "body 世界")
        equal((method.exchange, method.routing_key, method.redelivered), ("", queue, False))
        equal(got, properties)


@check
def queues_are_declared_counted_purged_and_deleted():
    with connection.channel() as channel:
        channel.confirm_delivery()
        name = unique("q")
        declared = channel.queue_declare(name, durable=True).method
        equal((declared.queue, declared.message_count, declared.consumer_count), (name, 0, 0))
        for _ in range(3):
            channel.basic_publish("", name, "x")
        equal(channel.queue_declare(name, passive=True).method.message_count, 3)
        equal(channel.queue_purge(name).method.message_count, 3)
        channel.basic_publish("", name, "x")
        code, text = closed_by_broker(channel.queue_delete, name, if_empty=True)
        equal((code, text), (406, f"PRECONDITION_FAILED - queue '{name}' in vhost '/' not empty"))
    with connection.channel() as channel:
        equal(channel.queue_delete(name).method.message_count, 1)
        equal(channel.queue_delete(name).method.message_count, 0)  # gone already: fine


@check
def exchanges_and_bindings_between_them():
    with connection.channel() as channel:
        channel.confirm_delivery()
        source, destination = unique("x"), unique("x")
        channel.exchange_declare(source, "topic")
        channel.exchange_declare(destination, "fanout", internal=True, auto_delete=True)
        channel.exchange_declare(source, passive=True)
        queue = queue_of(channel)
        channel.queue_bind(queue, destination)
        channel.exchange_bind(destination, source, "a.#")
        channel.basic_publish(source, "a.b", "in", mandatory=True)
        raises(UnroutableError, channel.basic_publish, source, "b.a", "out", mandatory=True)
        channel.exchange_unbind(destination, source, "a.#")
        raises(UnroutableError, channel.basic_publish, source, "a.b", "out", mandatory=True)
        channel.queue_unbind(queue, destination)
        channel.exchange_delete(source, if_unused=True)
        equal(channel.basic_get(queue, auto_ack=True)[2], b"in")
        # The auto-delete exchange went with its last binding.
        equal(closed_by_broker(channel.exchange_declare, destination, passive=True),
              (404, f"NOT_FOUND - no exchange '{destination}' in vhost '/'"))


@check
def headers_exchange_matches_all_and_any():
    with connection.channel() as channel:
        channel.confirm_delivery()
        every, some = queue_of(channel), queue_of(channel)
        marker = str(uuid.uuid4())
        wanted = {"marker": marker, "pages": 3}
        channel.queue_bind(every, "amq.headers", arguments={"x-match": "all", **wanted})
        channel.queue_bind(some, "amq.headers", arguments={"x-match": "any", **wanted})
        for pages in (3, 4):
            headers = {"marker": marker, "pages": pages}
            channel.basic_publish("amq.headers", "", str(pages),
                                  pika.BasicProperties(headers=headers))
        equal(channel.queue_declare(every, passive=True).method.message_count, 1)
        equal(channel.queue_declare(some, passive=True).method.message_count, 2)


@check
def consumers_ack_nack_and_reject():
    with connection.channel() as channel:
        channel.confirm_delivery()
        queue = queue_of(channel)
        seen = []

        def on_message(ch, method, properties, body):
            seen.append((body, method.redelivered))
            if body == b"nack" and not method.redelivered:
                ch.basic_nack(method.delivery_tag)
            elif body == b"reject":
                ch.basic_reject(method.delivery_tag, requeue=False)
            else:
                ch.basic_ack(method.delivery_tag)

        tag = channel.basic_consume(queue, on_message, consumer_tag="mine")
        equal(tag, "mine")
        for body in ("plain", "nack", "reject", "last"):
            channel.basic_publish("", queue, body)
        pump(lambda: len(seen) >= 5, "five deliveries")
        equal(set(seen), {(b"plain", False), (b"nack", False), (b"nack", True),
                          (b"reject", False), (b"last", False)})
        equal(channel.basic_cancel(tag), [])
        channel.basic_recover(requeue=True)
        equal(channel.basic_get(queue), (None, None, None))


@check
def prefetch_and_ack_of_several():
    with connection.channel() as channel:
        channel.confirm_delivery()
        queue = queue_of(channel)
        for number in range(5):
            channel.basic_publish("", queue, str(number))
        channel.basic_qos(prefetch_count=2)
        seen = []
        channel.basic_consume(queue, lambda ch, method, p, body: seen.append(method.delivery_tag))
        pump(lambda: len(seen) == 2, "two deliveries")
        equal(channel.queue_declare(queue, passive=True).method.message_count, 3)
        equal(len(seen), 2)
        channel.basic_ack(2, multiple=True)
        pump(lambda: len(seen) == 4, "two more")
        equal(seen, [1, 2, 3, 4])


@check
def consume_as_a_generator():
    with connection.channel() as channel:
        channel.confirm_delivery()
        queue = queue_of(channel)
        for number in range(3):
            channel.basic_publish("", queue, str(number))
        bodies = []
        for method, properties, body in channel.consume(queue, inactivity_timeout=0.1):
            if method is None:
                break
            bodies.append(body)
            channel.basic_ack(method.delivery_tag)
        equal(bodies, [b"0", b"1", b"2"])
        equal(channel.cancel(), 0)


@check
def a_full_queue_that_rejects_publishes_nacks():
    with connection.channel() as channel:
        channel.confirm_delivery()
        queue = queue_of(channel, arguments={"x-max-length": 1, "x-overflow": "reject-publish"})
        channel.basic_publish("", queue, "fits", mandatory=True)
        raises(NackError, channel.basic_publish, "", queue, "does not")
        equal(channel.queue_declare(queue, passive=True).method.message_count, 1)


@check
def an_unroutable_message_is_returned():
    with connection.channel() as channel:
        channel.confirm_delivery()
        returned = raises(UnroutableError, channel.basic_publish, "amq.direct", "nowhere", "lost",
                          pika.BasicProperties(message_id="m"), mandatory=True).messages[0]
        method = returned.method
        equal((method.reply_code, method.reply_text), (312, "NO_ROUTE"))
        equal((method.exchange, method.routing_key), ("amq.direct", "nowhere"))
        equal((returned.properties.message_id, returned.body), ("m", b"lost"))


@check
def transactions_commit_and_roll_back():
    with connection.channel() as channel, connection.channel() as observer:
        queue = queue_of(channel)
        channel.tx_select()
        channel.basic_publish("", queue, "rolled back")
        channel.tx_rollback()
        channel.basic_publish("", queue, "committed")
        equal(observer.basic_get(queue), (None, None, None))
        channel.tx_commit()
        method, _, body = observer.basic_get(queue)
        equal(body, b"committed")
        observer.basic_ack(method.delivery_tag)


@check
def a_consumer_of_a_deleted_queue_is_cancelled():
    with connection.channel() as channel, connection.channel() as other:
        name = unique("q")
        channel.queue_declare(name)
        cancelled = []
        channel.add_on_cancel_callback(lambda frame: cancelled.append(frame.method.consumer_tag))
        tag = channel.basic_consume(name, lambda *args: None)
        other.queue_delete(name)
        pump(lambda: cancelled == [tag], "the cancel notification")
        equal(channel.consumer_tags, [])
        # start_consuming returns, as no consumer is left.
        channel.start_consuming()


@check
def priorities_put_the_urgent_first():
    with connection.channel() as channel:
        channel.confirm_delivery()
        queue = queue_of(channel, arguments={"x-max-priority": 10})
        for priority in (1, 9, None, 5, 9):
            channel.basic_publish("", queue, str(priority), pika.BasicProperties(priority=priority))
        bodies = [channel.basic_get(queue, auto_ack=True)[2] for _ in range(5)]
        equal(bodies, [b"9", b"9", b"5", b"1", b"None"])


@check
def expired_messages_go_to_the_dead_letter_exchange():
    with connection.channel() as channel:
        channel.confirm_delivery()
        dead = queue_of(channel)
        queue = queue_of(channel, arguments={"x-dead-letter-exchange": "",
                                             "x-dead-letter-routing-key": dead})
        channel.basic_publish("", queue, "late", pika.BasicProperties(expiration="1"))
        method, properties, body = eventually(
            lambda: next((got for got in [channel.basic_get(dead, auto_ack=True)] if got[0]), None),
            "the dead letter")
        equal(body, b"late")
        death = properties.headers["x-death"][0]
        equal((death["reason"], death["queue"], death["count"]), ("expired", queue, 1))
        equal((death["original-expiration"], properties.expiration), ("1", None))


@check
def channel_errors_carry_code_and_text():
    def attempt(method, *args, **kwargs):
        channel = connection.channel()
        result = closed_by_broker(getattr(channel, method), *args, **kwargs)
        assert channel.is_closed
        raises(ChannelWrongStateError, channel.queue_declare, "")
        return result

    missing = unique("missing")
    equal(attempt("queue_declare", missing, passive=True),
          (404, f"NOT_FOUND - no queue '{missing}' in vhost '/'"))
    equal(attempt("exchange_declare", missing, passive=True),
          (404, f"NOT_FOUND - no exchange '{missing}' in vhost '/'"))
    equal(attempt("basic_get", missing),
          (404, f"NOT_FOUND - no queue '{missing}' in vhost '/'"))
    equal(attempt("exchange_delete", "amq.topic")[0], 403)
    equal(attempt("queue_declare", "amq.mine"),
          (403, "ACCESS_REFUSED - queue name 'amq.mine' contains reserved prefix 'amq.*'"))
    with connection.channel() as channel:
        queue = unique("q")
        channel.queue_declare(queue, exclusive=True)
        equal(attempt("queue_declare", queue, exclusive=True, auto_delete=True),
              (406, f"PRECONDITION_FAILED - inequivalent arg 'auto_delete' for queue '{queue}' in "
                    "vhost '/': received 'true' but current is 'false'"))


@check
def an_exclusive_queue_is_locked_for_others():
    other = pika.BlockingConnection(PARAMETERS)
    with other.channel() as channel, connection.channel() as mine:
        name = unique("q")
        mine.queue_declare(name, exclusive=True)
        code, text = closed_by_broker(channel.basic_consume, name, lambda *args: None)
        equal(code, 405)
        assert text.startswith("RESOURCE_LOCKED - cannot obtain exclusive access to locked queue "
                               f"'{name}' in vhost '/'"), text
    other.close()


@check
def an_ack_of_an_unknown_tag_closes_the_channel():
    channel = connection.channel()
    queue = queue_of(channel)
    channel.basic_ack(77)
    equal(closed_by_broker(channel.queue_declare, queue, passive=True),
          (406, "PRECONDITION_FAILED - unknown delivery tag 77"))


@check
def an_ack_from_a_consumer_that_owes_none_closes_the_channel():
    channel = connection.channel()
    queue = queue_of(channel)
    channel.basic_consume(queue, lambda ch, method, p, body: ch.basic_ack(method.delivery_tag),
                          auto_ack=True)
    channel.basic_publish("", queue, "x")
    equal(closed_by_broker(channel.start_consuming),
          (406, "PRECONDITION_FAILED - unknown delivery tag 1"))


@check
def a_publish_to_a_missing_exchange_closes_the_channel():
    channel = connection.channel()
    channel.confirm_delivery()
    missing = unique("missing")
    equal(closed_by_broker(channel.basic_publish, missing, "", "x"),
          (404, f"NOT_FOUND - no exchange '{missing}' in vhost '/'"))


@check
def connection_errors_close_the_connection():
    doomed = pika.BlockingConnection(PARAMETERS)
    channel = doomed.channel()
    queue = queue_of(channel)
    channel.basic_consume(queue, lambda *args: None, consumer_tag="same")
    # pika itself refuses the tag's second use, so the frame is sent below it.
    channel._impl._send_method(
        pika.spec.Basic.Consume(queue=queue, consumer_tag="same"))
    error = raises(ConnectionClosedByBroker, doomed.sleep, 10)
    equal((error.reply_code, error.reply_text),
          (530, "NOT_ALLOWED - attempt to reuse consumer tag 'same'"))


@check
def refused_at_the_door():
    wrong = pika.URLParameters(os.environ["AMQP_URL"])
    wrong.credentials = pika.PlainCredentials("guest", "wrong")
    error = raises(AMQPConnectionError, pika.BlockingConnection, wrong)
    assert isinstance(error, ProbableAuthenticationError), repr(error)
    missing = pika.URLParameters(os.environ["AMQP_URL"])
    missing.virtual_host = "no-such-vhost"
    error = raises(AMQPConnectionError, pika.BlockingConnection, missing)
    assert isinstance(error, (ProbableAccessDeniedError, ConnectionClosedByBroker)), repr(error)


@check
def publishing_from_another_thread():
    with connection.channel() as channel:
        queue = queue_of(channel)
        seen = []
        channel.basic_consume(queue, lambda ch, m, p, body: seen.append(body), auto_ack=True)
        publish = lambda: channel.basic_publish("", queue, "from a thread")  # noqa: E731
        thread = threading.Thread(target=lambda: connection.add_callback_threadsafe(publish))
        thread.start()
        pump(lambda: seen == [b"from a thread"], "its message")
        thread.join()


@check
def a_megabyte_and_nothing_at_all():
    with connection.channel() as channel:
        channel.confirm_delivery()
        queue = queue_of(channel)
        for body in (b"", os.urandom(1 << 20)):
            channel.basic_publish("", queue, body)
            equal(channel.basic_get(queue, auto_ack=True)[2], body)


@check
def an_idle_connection_with_a_heartbeat_of_one_second_lives():
    parameters = pika.URLParameters(os.environ["AMQP_URL"])
    parameters.heartbeat = 1
    idle = pika.BlockingConnection(parameters)
    idle.sleep(3)  # two missed heartbeats would have ended it
    with idle.channel() as channel:
        queue_of(channel)
    idle.close()


run()
