"""1 Hello: put one message for each argument into the queue `hello`.

    python3 send.py [message ...]
"""
import os
import sys

import pika

messages = sys.argv[1:] or ["Hello, hare!"]

url = os.environ.get("AMQP_URL", "amqp://localhost")
connection = pika.BlockingConnection(pika.URLParameters(url))
channel = connection.channel()

# Declaring is idempotent, so the sender and the receiver both do it: either may start first.
channel.queue_declare(queue="hello")

for message in messages:
    channel.basic_publish(exchange="", routing_key="hello", body=message)
    print(f"Sent '{message}'")

connection.close()
