"""6 RPC: answer requests for Fibonacci numbers.

    python3 rpc_server.py
"""
import os

import pika


def fibonacci(n):
    """Slow on purpose: what a server computes should be worth a round trip."""
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


def on_request(channel, method, properties, body):
    n = int(body)
    print(f"fib({n})")
    # The client said where it waits (reply_to) and how it will know the answer.
    channel.basic_publish(
        exchange="",
        routing_key=properties.reply_to,
        properties=pika.BasicProperties(correlation_id=properties.correlation_id),
        body=str(fibonacci(n)),
    )
    channel.basic_ack(delivery_tag=method.delivery_tag)


url = os.environ.get("AMQP_URL", "amqp://localhost")
connection = pika.BlockingConnection(pika.URLParameters(url))
channel = connection.channel()
channel.queue_declare(queue="rpc_queue")

# One request at a time, so that several servers share the load.
channel.basic_qos(prefetch_count=1)
channel.basic_consume(queue="rpc_queue", on_message_callback=on_request)

print("Waiting for requests, Ctrl+C to stop")
try:
    channel.start_consuming()
except KeyboardInterrupt:
    connection.close()
