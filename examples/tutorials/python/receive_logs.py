"""3 Publish and subscribe: print the log lines sent from now on.

    python3 receive_logs.py
"""
import os

import pika


def on_line(channel, method, properties, body):
    print(f"Received '{body.decode()}'")


url = os.environ.get("AMQP_URL", "amqp://localhost")
connection = pika.BlockingConnection(pika.URLParameters(url))
channel = connection.channel()
channel.exchange_declare(exchange="logs", exchange_type="fanout")

# No name: the broker makes one up. Exclusive: the queue goes when this connection does.
queue = channel.queue_declare(queue="", exclusive=True).method.queue
channel.queue_bind(exchange="logs", queue=queue)
channel.basic_consume(queue=queue, on_message_callback=on_line, auto_ack=True)

print("Waiting for logs, Ctrl+C to stop")
try:
    channel.start_consuming()
except KeyboardInterrupt:
    connection.close()
