"""2 Work queues: take tasks one after the other. Start several to share the work.

    python3 worker.py [--seconds-per-dot 1] [--prefetch 1]

A task is acknowledged when it is done, so if a worker dies its tasks go to another one.
"""
import argparse
import os

import pika

parser = argparse.ArgumentParser()
parser.add_argument("--seconds-per-dot", type=float, default=1)
parser.add_argument("--prefetch", type=int, default=1)
options = parser.parse_args()


def on_task(channel, method, properties, body):
    task = body.decode()
    print(f"Received '{task}'" + (" (redelivered)" if method.redelivered else ""))
    # connection.sleep keeps the connection alive during the work, time.sleep would not.
    connection.sleep(task.count(".") * options.seconds_per_dot)
    channel.basic_ack(delivery_tag=method.delivery_tag)
    print(f"Done '{task}'")


url = os.environ.get("AMQP_URL", "amqp://localhost")
connection = pika.BlockingConnection(pika.URLParameters(url))
channel = connection.channel()
channel.queue_declare(queue="task_queue", durable=True)

# At most this many tasks that are not yet acknowledged; 0 lifts the limit. With 1 the broker
# gives the next task to whoever is free, without a limit it deals them out like cards.
channel.basic_qos(prefetch_count=options.prefetch)
channel.basic_consume(queue="task_queue", on_message_callback=on_task)

print("Waiting for tasks, Ctrl+C to stop")
try:
    channel.start_consuming()
except KeyboardInterrupt:
    connection.close()
