"""4 Routing: send a log line under its severity.

    python3 emit_log_direct.py [severity] [line]
"""
import os
import sys

import pika

severity = sys.argv[1] if len(sys.argv) > 1 else "info"
line = " ".join(sys.argv[2:]) or "all is quiet"

url = os.environ.get("AMQP_URL", "amqp://localhost")
connection = pika.BlockingConnection(pika.URLParameters(url))
channel = connection.channel()

# A direct exchange gives a message to the queues bound with exactly its routing key.
channel.exchange_declare(exchange="direct_logs", exchange_type="direct")
channel.basic_publish(exchange="direct_logs", routing_key=severity, body=line)
print(f"Sent {severity}: '{line}'")

connection.close()
