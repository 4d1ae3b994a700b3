"""5 Topics: send a log line under a key of words, such as `kern.critical`.

    python3 emit_log_topic.py [facility.severity] [line]
"""
import os
import sys

import pika

routing_key = sys.argv[1] if len(sys.argv) > 1 else "anonymous.info"
line = " ".join(sys.argv[2:]) or "all is quiet"

url = os.environ.get("AMQP_URL", "amqp://localhost")
connection = pika.BlockingConnection(pika.URLParameters(url))
channel = connection.channel()
channel.exchange_declare(exchange="topic_logs", exchange_type="topic")
channel.basic_publish(exchange="topic_logs", routing_key=routing_key, body=line)
print(f"Sent {routing_key}: '{line}'")

connection.close()
