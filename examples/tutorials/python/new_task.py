"""2 Work queues: hand out tasks that survive a restart of the broker.

    python3 new_task.py [task ...]        every dot in a task is a second of work
"""
import os
import sys

import pika

tasks = sys.argv[1:] or ["dig a burrow..."]

url = os.environ.get("AMQP_URL", "amqp://localhost")
connection = pika.BlockingConnection(pika.URLParameters(url))
channel = connection.channel()

# A durable queue and persistent messages: both are needed for a task to outlive the broker.
channel.queue_declare(queue="task_queue", durable=True)
persistent = pika.BasicProperties(delivery_mode=2)

# From here on basic_publish returns when the broker has the task in its keeping.
channel.confirm_delivery()

for task in tasks:
    channel.basic_publish(
        exchange="", routing_key="task_queue", body=task, properties=persistent
    )
    print(f"Sent '{task}'")

connection.close()
