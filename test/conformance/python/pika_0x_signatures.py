"""The calls of pika 0.x that the adapter carries, beyond those the tutorials make."""
import os
import uuid

import pika
from checks import check, equal, eventually, raises, run

connection = pika.BlockingConnection(pika.ConnectionParameters("localhost", heartbeat_interval=30))
channel = connection.channel()


def new_queue():
    return channel.queue_declare(exclusive=True).method.queue


def put(queue, *bodies):
    for body in bodies:
        channel.basic_publish("", queue, body)


def pump(holds, what):
    """Process events until it holds; a single call may return before anything came."""
    eventually(lambda: connection.process_data_events(0.05) or holds(), what, step=0)


@check
def import_finds_the_installed_pika():
    assert pika.__version__.startswith("1."), pika.__version__
    assert "pika_compat" not in pika.__file__, pika.__file__
    from pika.adapters.blocking_connection import BlockingConnection

    assert BlockingConnection is pika.BlockingConnection


@check
def parameters_take_the_old_names_and_none():
    parameters = pika.ConnectionParameters(
        "example.org", 5673, "/v", pika.PlainCredentials("u", "p"), None, None, 17,
        backpressure_detection=True,
    )
    equal((parameters.host, parameters.port, parameters.virtual_host), ("example.org", 5673, "/v"))
    equal((parameters.credentials.username, parameters.heartbeat), ("u", 17))


@check
def parameters_for_localhost_follow_amqp_url():
    expected = pika.URLParameters(os.environ["AMQP_URL"])
    equal(pika.ConnectionParameters("localhost").port, expected.port)
    equal(pika.ConnectionParameters().port, expected.port)
    equal(pika.ConnectionParameters("localhost", 1234).port, 1234)
    equal(pika.ConnectionParameters("other.example.org").port, 5672)
    own = pika.ConnectionParameters("localhost", credentials=pika.PlainCredentials("me", "x"))
    equal((own.port, own.credentials.username), (expected.port, "me"))


@check
def basic_get_with_no_ack():
    queue = new_queue()
    put(queue, "a", "b")
    method, properties, body = channel.basic_get(queue=queue, no_ack=True)
    equal((body, method.message_count), (b"a", 1))
    method, properties, body = channel.basic_get(queue, True)
    equal(body, b"b")
    equal(channel.basic_get(queue=queue), (None, None, None))


@check
def basic_consume_in_every_form():
    seen = []

    def callback(ch, method, properties, body):
        seen.append((method.consumer_tag, body))

    forms = [
        lambda queue: channel.basic_consume(callback, queue, True),
        lambda queue: channel.basic_consume(callback, queue, True, False, "t1"),
        lambda queue: channel.basic_consume(consumer_callback=callback, queue=queue, no_ack=True),
        lambda queue: channel.basic_consume(callback, queue=queue, exclusive=True, no_ack=True),
        lambda queue: channel.basic_consume(queue, callback, auto_ack=True),
        lambda queue: channel.basic_consume(queue=queue, on_message_callback=callback,
                                            auto_ack=True),
        lambda queue: channel.basic_consume(callback, no_ack=True),  # the last one declared
    ]
    for number, consume in enumerate(forms):
        queue = new_queue()
        tag = consume(queue)
        put(queue, str(number))
        pump(lambda: len(seen) > number, f"delivery {number}")
        equal(seen[-1], (tag, str(number).encode()))
        channel.basic_cancel(consumer_tag=tag)


@check
def consume_yields_none_when_nothing_came():
    queue = new_queue()
    put(queue, "x")
    yielded = []
    for delivery in channel.consume(queue, no_ack=True, inactivity_timeout=0.05):
        yielded.append(delivery and delivery[2])
        if delivery is None:
            break
    channel.cancel()
    equal(yielded, [b"x", None])


@check
def basic_qos_for_all_channels():
    channel.basic_qos(prefetch_count=3, all_channels=True)
    channel.basic_qos(prefetch_count=0, all_channels=True)


@check
def basic_publish_answers_and_publish_raises():
    confirming = connection.channel()
    confirming.confirm_delivery()
    queue = confirming.queue_declare(exclusive=True).method.queue
    nowhere = str(uuid.uuid4())
    equal(confirming.basic_publish("", queue, "x", mandatory=True, immediate=False), True)
    equal(confirming.basic_publish("", nowhere, "x", mandatory=True), False)
    error = raises(pika.exceptions.UnroutableError, confirming.publish, "", nowhere, "x", None,
                   True)
    equal(error.messages[0].method.reply_code, 312)
    confirming.close()


@check
def exchange_declare_by_type_and_by_exchange_type():
    for arguments in ({"type": "topic"}, {"exchange_type": "topic"}):
        name = f"x-{uuid.uuid4()}"
        channel.exchange_declare(exchange=name, auto_delete=True, **arguments)
        channel.exchange_declare(name, "topic", False, False, True)  # equivalent, or it is refused
        channel.exchange_delete(exchange=name)


@check
def queue_purge_unbind_and_delete_without_a_name():
    queue = new_queue()
    channel.queue_bind(queue, "amq.fanout")
    channel.queue_unbind(queue=queue, exchange="amq.fanout", routing_key="")
    put(queue, "x")
    equal(channel.queue_purge().method.message_count, 1)
    channel.queue_delete()
    error = raises(pika.exceptions.ChannelClosedByBroker, channel.queue_declare, queue,
                   passive=True)
    equal(error.reply_code, 404)


@check
def add_timeout_calls_back():
    called = []
    connection.add_timeout(0.01, lambda: called.append(1))
    pump(lambda: called == [1], "the call")


run()
