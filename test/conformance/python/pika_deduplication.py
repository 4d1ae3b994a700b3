"""The documented uses of RabbitMQ's deduplication plugin, with pika."""
import os

import pika
from checks import check, equal, run

connection = pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URL"]))


def publish(channel, exchange, routing_key, key, **headers):
    properties = pika.BasicProperties(headers={"x-deduplication-header": key, **headers})
    channel.basic_publish(exchange, routing_key, str(key), properties)


def drain(channel, queue):
    bodies = []
    while True:
        method, _, body = channel.basic_get(queue, auto_ack=True)
        if method is None:
            return bodies
        bodies.append(body.decode())


@check
def an_exchange_lets_each_key_through_once():
    with connection.channel() as channel:
        channel.confirm_delivery()
        arguments = {"x-cache-size": 100, "x-cache-ttl": 60000}
        channel.exchange_declare(
            "dedup", "x-message-deduplication", auto_delete=True, arguments=arguments
        )
        queue = channel.queue_declare("", exclusive=True).method.queue
        channel.queue_bind(queue, "dedup")
        for key in ["a", "a", "b", 1, 1, "1", "a"]:
            publish(channel, "dedup", "", key)
        equal(drain(channel, queue), ["a", "b", "1", "1"])


@check
def an_exchange_forgets_a_key_that_must_not_be_kept():
    with connection.channel() as channel:
        channel.confirm_delivery()
        channel.exchange_declare(
            "dedup-short", "x-message-deduplication", auto_delete=True,
            arguments={"x-cache-size": 100},
        )
        queue = channel.queue_declare("", exclusive=True).method.queue
        channel.queue_bind(queue, "dedup-short")
        for _ in range(2):
            publish(channel, "dedup-short", "", "a", **{"x-cache-ttl": 0})
        equal(drain(channel, queue), ["a", "a"])


@check
def a_queue_holds_each_key_once_and_confirms_the_rest():
    with connection.channel() as channel:
        channel.confirm_delivery()
        arguments = {"x-message-deduplication": True}
        queue = channel.queue_declare("", exclusive=True, arguments=arguments).method.queue
        for key in ["a", "a", "b"]:
            publish(channel, "", queue, key)  # raises NackError if it is refused
        equal(drain(channel, queue), ["a", "b"])
        publish(channel, "", queue, "a")
        equal(drain(channel, queue), ["a"])


run()
