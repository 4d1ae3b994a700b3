"""6 RPC, without a callback queue: the pseudo-queue `amq.rabbitmq.reply-to` brings the answer
straight to this channel, and the broker keeps nothing for it.

    python3 rpc_client_direct.py [n]
"""
import os
import sys

import pika

DIRECT_REPLY_TO = "amq.rabbitmq.reply-to"

n = int(sys.argv[1]) if len(sys.argv) > 1 else 30

url = os.environ.get("AMQP_URL", "amqp://localhost")
connection = pika.BlockingConnection(pika.URLParameters(url))
channel = connection.channel()


def on_reply(channel, method, properties, body):
    print(f"Got {int(body)}")
    channel.stop_consuming()


# Consume first, without acknowledgements, and send the request on the same channel.
channel.basic_consume(queue=DIRECT_REPLY_TO, on_message_callback=on_reply, auto_ack=True)
print(f"Asking for fib({n})")
channel.basic_publish(
    exchange="",
    routing_key="rpc_queue",
    properties=pika.BasicProperties(reply_to=DIRECT_REPLY_TO),
    body=str(n),
)
channel.start_consuming()
connection.close()
