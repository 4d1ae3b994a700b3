"""6 RPC: ask for a Fibonacci number and wait for the answer in a callback queue.

    python3 rpc_client.py [n]
"""
import os
import sys
import uuid

import pika


class FibonacciClient:
    def __init__(self, connection):
        self.connection = connection
        self.channel = connection.channel()
        self.callback_queue = self.channel.queue_declare(queue="", exclusive=True).method.queue
        self.channel.basic_consume(
            queue=self.callback_queue, on_message_callback=self.on_reply, auto_ack=True
        )
        self.correlation_id = None
        self.answer = None

    def on_reply(self, channel, method, properties, body):
        # An answer to something else (a request sent before a restart, say) is ignored.
        if properties.correlation_id == self.correlation_id:
            self.answer = int(body)

    def call(self, n):
        self.answer = None
        self.correlation_id = str(uuid.uuid4())
        self.channel.basic_publish(
            exchange="",
            routing_key="rpc_queue",
            properties=pika.BasicProperties(
                reply_to=self.callback_queue, correlation_id=self.correlation_id
            ),
            body=str(n),
        )
        while self.answer is None:
            self.connection.process_data_events(time_limit=None)
        return self.answer


n = int(sys.argv[1]) if len(sys.argv) > 1 else 30

url = os.environ.get("AMQP_URL", "amqp://localhost")
connection = pika.BlockingConnection(pika.URLParameters(url))
print(f"Asking for fib({n})")
print(f"Got {FibonacciClient(connection).call(n)}")
connection.close()
