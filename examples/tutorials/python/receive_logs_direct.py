"""4 Routing: print the log lines of some severities.

    python3 receive_logs_direct.py severity [severity ...]
"""
import os
import sys

import pika

severities = sys.argv[1:]
if not severities:
    sys.exit("usage: python3 receive_logs_direct.py severity [severity ...]")


def on_line(channel, method, properties, body):
    print(f"{method.routing_key}: '{body.decode()}'")


url = os.environ.get("AMQP_URL", "amqp://localhost")
connection = pika.BlockingConnection(pika.URLParameters(url))
channel = connection.channel()
channel.exchange_declare(exchange="direct_logs", exchange_type="direct")

queue = channel.queue_declare(queue="", exclusive=True).method.queue
for severity in severities:
    channel.queue_bind(exchange="direct_logs", queue=queue, routing_key=severity)
channel.basic_consume(queue=queue, on_message_callback=on_line, auto_ack=True)

print(f"Waiting for {', '.join(severities)}, Ctrl+C to stop")
try:
    channel.start_consuming()
except KeyboardInterrupt:
    connection.close()
