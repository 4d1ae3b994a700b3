#!/usr/bin/env python
# Topics: the keys are words, the patterns may hold * and #.
import sys

import pika

connection = pika.BlockingConnection(pika.ConnectionParameters(host='localhost'))
channel = connection.channel()

channel.exchange_declare(exchange='topic_logs', type='topic')

result = channel.queue_declare(exclusive=True)
queue_name = result.method.queue

keys = sys.argv[1:]
if not keys:
    sys.stderr.write("usage: %s key ...\n" % sys.argv[0])
    sys.exit(1)

for key in keys:
    channel.queue_bind(exchange='topic_logs', queue=queue_name, routing_key=key)


def callback(ch, method, properties, body):
    print("%r:%r" % (method.routing_key, body))


channel.basic_consume(callback, queue=queue_name, no_ack=True)

print('waiting for logs')
channel.start_consuming()
