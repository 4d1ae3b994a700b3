"""Message groups: several blocking consumers, some of which die, and each key in order."""
import os
import random
import threading
import uuid

import pika
from checks import check, equal, eventually, run

PARAMETERS = pika.URLParameters(os.environ["AMQP_URL"])
KEYS = [f"customer-{number}" for number in range(8)]
MESSAGES_A_KEY = 40


class Ledger:
    """One message of a key at a time, and one after the other."""

    def __init__(self):
        self._lock = threading.Lock()
        self._next = dict.fromkeys(KEYS, 0)
        self._holders = {}
        self.problems = []

    def begins(self, key, number, redelivered, worker):
        with self._lock:
            if key in self._holders:
                self.problems.append(f"{key}: {number} while another is at work")
            # Who dies may take its last acknowledgement along.
            again = redelivered and number == self._next[key] - 1
            if number != self._next[key] and not again:
                self.problems.append(f"{key}: {number}, not {self._next[key]}")
            self._holders[key] = worker

    def ends(self, key, number=None):
        with self._lock:
            del self._holders[key]
            if number is not None:
                self._next[key] = max(self._next[key], number + 1)

    def died(self, worker):
        with self._lock:
            held = [key for key, holder in self._holders.items() if holder is worker]
            for key in held:
                del self._holders[key]

    def is_done(self):
        with self._lock:
            return all(number == MESSAGES_A_KEY for number in self._next.values())


class Worker(threading.Thread):
    def __init__(self, queue, ledger, seed, mortal):
        super().__init__(daemon=True)
        self.queue = queue
        self.ledger = ledger
        self.random = random.Random(seed)
        self.mortal = mortal

    def run(self):
        connection = pika.BlockingConnection(PARAMETERS)
        channel = connection.channel()
        channel.basic_qos(prefetch_count=self.random.randint(1, 10))
        lives = self.random.randint(10, 30) if self.mortal else None
        for method, properties, body in channel.consume(self.queue, inactivity_timeout=0.1):
            if self.ledger.is_done():
                break
            if method is None:
                continue
            key, number = properties.headers["customer"], int(body)
            self.ledger.begins(key, number, method.redelivered, self)
            if lives is not None:
                lives -= 1
                if lives == 0:
                    self.ledger.died(self)
                    break
            if self.random.random() < 0.1:
                self.ledger.ends(key)
                channel.basic_nack(method.delivery_tag, requeue=True)
            else:
                self.ledger.ends(key, number)
                channel.basic_ack(method.delivery_tag)
        connection.close()


@check
def each_key_in_order_whoever_works_gives_back_or_goes():
    queue = f"groups-{uuid.uuid4()}"
    connection = pika.BlockingConnection(PARAMETERS)
    channel = connection.channel()
    channel.queue_declare(queue, arguments={"x-group-by": "header:customer"})
    ledger = Ledger()
    workers = [Worker(queue, ledger, seed, mortal=seed % 2 == 0) for seed in range(6)]
    for worker in workers:
        worker.start()
    for number in range(MESSAGES_A_KEY):
        for key in KEYS:
            properties = pika.BasicProperties(headers={"customer": key})
            channel.basic_publish("", queue, str(number).encode(), properties)

    def is_over():
        connection.process_data_events(0)
        return ledger.is_done() or ledger.problems

    eventually(is_over, "every message has been worked on", seconds=60)
    equal(ledger.problems, [])
    for worker in workers:
        worker.join(20)
    eventually(lambda: channel.queue_delete(queue).method.message_count == 0, "it is empty")
    connection.close()


run()
