"""8 Publisher confirms: know that the broker took what was published, and hear when it could not.

    python3 publisher_confirms.py [count]
"""
import os
import sys
import time

import pika

count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000

url = os.environ.get("AMQP_URL", "amqp://localhost")
connection = pika.BlockingConnection(pika.URLParameters(url))
channel = connection.channel()
queue = channel.queue_declare(queue="", exclusive=True).method.queue

# From here on basic_publish returns when the message is confirmed, or raises.
channel.confirm_delivery()

start = time.monotonic()
for i in range(count):
    channel.basic_publish(exchange="", routing_key=queue, body=f"message {i}")
milliseconds = round((time.monotonic() - start) * 1000)

confirmed = channel.queue_declare(queue=queue, passive=True).method.message_count
print(f"{confirmed} of {count} confirmed one by one in {milliseconds} ms")

# Nothing is bound under this key. A mandatory message that no queue takes comes back.
try:
    channel.basic_publish(exchange="", routing_key="no-such-queue", body="lost", mandatory=True)
except pika.exceptions.UnroutableError as error:
    returned = error.messages[0]
    print(f"Returned '{returned.body.decode()}': {returned.method.reply_text}")

connection.close()
