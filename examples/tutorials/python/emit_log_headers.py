"""7 Headers: describe a message by several headers instead of one routing key.

    python3 emit_log_headers.py line [header=value ...]
"""
import os
import sys

import pika

line = sys.argv[1] if len(sys.argv) > 1 else "all is quiet"
headers = dict(pair.split("=", 1) for pair in sys.argv[2:])

url = os.environ.get("AMQP_URL", "amqp://localhost")
connection = pika.BlockingConnection(pika.URLParameters(url))
channel = connection.channel()
channel.exchange_declare(exchange="header_logs", exchange_type="headers")
channel.basic_publish(
    exchange="header_logs",
    routing_key="",
    properties=pika.BasicProperties(headers=headers),
    body=line,
)
print(f"Sent '{line}' with {headers}")

connection.close()
