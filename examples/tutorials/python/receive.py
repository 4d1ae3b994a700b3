"""1 Hello: print every message of the queue `hello` until interrupted.

    python3 receive.py
"""
import os

import pika


def on_message(channel, method, properties, body):
    print(f"Received '{body.decode()}'")


url = os.environ.get("AMQP_URL", "amqp://localhost")
connection = pika.BlockingConnection(pika.URLParameters(url))
channel = connection.channel()
channel.queue_declare(queue="hello")
channel.basic_consume(queue="hello", on_message_callback=on_message, auto_ack=True)

print("Waiting for messages, Ctrl+C to stop")
try:
    channel.start_consuming()
except KeyboardInterrupt:
    connection.close()
