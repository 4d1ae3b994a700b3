"""3 Publish and subscribe: send a log line to everyone who listens at this moment.

    python3 emit_log.py [line]
"""
import os
import sys

import pika

line = " ".join(sys.argv[1:]) or "info: all is quiet"

url = os.environ.get("AMQP_URL", "amqp://localhost")
connection = pika.BlockingConnection(pika.URLParameters(url))
channel = connection.channel()

# A fanout exchange copies each message to all queues bound to it and ignores the routing key.
channel.exchange_declare(exchange="logs", exchange_type="fanout")
channel.basic_publish(exchange="logs", routing_key="", body=line)
print(f"Sent '{line}'")

connection.close()
