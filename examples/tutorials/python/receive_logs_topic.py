"""5 Topics: print the log lines whose key matches any of the patterns.

    python3 receive_logs_topic.py pattern [pattern ...]

In a pattern `*` stands for one word and `#` for any number of words, none included:
'#' is everything, 'kern.*' all of the kernel, '*.critical' the worst of everyone.
"""
import os
import sys

import pika

patterns = sys.argv[1:]
if not patterns:
    sys.exit("usage: python3 receive_logs_topic.py pattern [pattern ...]")


def on_line(channel, method, properties, body):
    print(f"{method.routing_key}: '{body.decode()}'")


url = os.environ.get("AMQP_URL", "amqp://localhost")
connection = pika.BlockingConnection(pika.URLParameters(url))
channel = connection.channel()
channel.exchange_declare(exchange="topic_logs", exchange_type="topic")

queue = channel.queue_declare(queue="", exclusive=True).method.queue
for pattern in patterns:
    channel.queue_bind(exchange="topic_logs", queue=queue, routing_key=pattern)
channel.basic_consume(queue=queue, on_message_callback=on_line, auto_ack=True)

print(f"Waiting for {', '.join(patterns)}, Ctrl+C to stop")
try:
    channel.start_consuming()
except KeyboardInterrupt:
    connection.close()
