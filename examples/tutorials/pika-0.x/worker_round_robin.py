#!/usr/bin/env python
# A worker without a prefetch limit, on a queue that a sender has declared before.
import pika, time

connection = pika.BlockingConnection(pika.ConnectionParameters('localhost'))
channel = connection.channel()


def callback(ch, method, properties, body):
    print("received %r" % body)
    time.sleep(body.count(b'.'))
    ch.basic_ack(delivery_tag = method.delivery_tag)


channel.basic_consume(callback, queue='task_queue',)

print('waiting for tasks')
channel.start_consuming()
