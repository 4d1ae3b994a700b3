"""pika and an exchange that delays, as the documentation of RabbitMQ's plugin has it."""
import os
import uuid

import pika
from checks import check, equal, run

connection = pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URL"]))


def consume(channel, queue, count):
    received = []
    for method, properties, body in channel.consume(queue, auto_ack=True, inactivity_timeout=15):
        assert method is not None, f"waited for {count} messages, got {received}"
        received.append((body.decode(), properties.headers["x-delay"]))
        if len(received) == count:
            break
    channel.cancel()
    return received


@check
def the_documented_example():
    exchange, queue = f"my-exchange-{uuid.uuid4()}", f"q-{uuid.uuid4()}"
    channel = connection.channel()
    channel.exchange_declare(
        exchange, "x-delayed-message", durable=True, arguments={"x-delayed-type": "direct"}
    )
    channel.queue_declare(queue, exclusive=True)
    channel.queue_bind(queue, exchange, "")
    for payload, delay in [(b"delayed payload", 1000), (b"more delayed payload", 200)]:
        properties = pika.BasicProperties(headers={"x-delay": delay})
        channel.basic_publish(exchange, "", payload, properties)
    expected = [("more delayed payload", -200), ("delayed payload", -1000)]
    equal(consume(channel, queue, 2), expected)
    channel.exchange_delete(exchange)


@check
def confirmed_publishes_are_not_returned():
    exchange, queue = f"x-{uuid.uuid4()}", f"q-{uuid.uuid4()}"
    channel = connection.channel()
    channel.confirm_delivery()
    channel.exchange_declare(
        exchange, "x-delayed-message", arguments={"x-delayed-type": "topic"}
    )
    channel.queue_declare(queue, exclusive=True)
    channel.queue_bind(queue, exchange, "jobs.*")
    for delay in [90, 30, 60]:
        properties = pika.BasicProperties(headers={"x-delay": delay}, delivery_mode=2)
        channel.basic_publish(exchange, "jobs.mail", str(delay), properties, mandatory=True)
    # Each publish waits for its confirm, so the order is up to the machine.
    equal(sorted(body for body, _ in consume(channel, queue, 3)), ["30", "60", "90"])
    channel.exchange_delete(exchange)


run()
