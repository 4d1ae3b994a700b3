"""7 Headers: print the messages that carry all, or any, of the given headers.

    python3 receive_logs_headers.py all|any header=value [header=value ...]
"""
import os
import sys

import pika

match, pairs = (sys.argv[1:2] or [None])[0], sys.argv[2:]
if match not in ("all", "any") or not pairs:
    sys.exit("usage: python3 receive_logs_headers.py all|any header=value [header=value ...]")
headers = dict(pair.split("=", 1) for pair in pairs)


def on_line(channel, method, properties, body):
    print(f"Received '{body.decode()}'")


url = os.environ.get("AMQP_URL", "amqp://localhost")
connection = pika.BlockingConnection(pika.URLParameters(url))
channel = connection.channel()
channel.exchange_declare(exchange="header_logs", exchange_type="headers")

queue = channel.queue_declare(queue="", exclusive=True).method.queue
channel.queue_bind(
    exchange="header_logs", queue=queue, arguments={"x-match": match, **headers}
)
channel.basic_consume(queue=queue, on_message_callback=on_line, auto_ack=True)

print(f"Waiting for {match} of {', '.join(pairs)}, Ctrl+C to stop")
try:
    channel.start_consuming()
except KeyboardInterrupt:
    connection.close()
