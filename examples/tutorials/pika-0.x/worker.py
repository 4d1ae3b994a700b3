#!/usr/bin/env python
# A worker that acknowledges what it has done and takes one task at a time.
import time

import pika

connection = pika.BlockingConnection(pika.ConnectionParameters(host='localhost'))
channel = connection.channel()

channel.queue_declare(queue='task_queue', durable=True)


def callback(ch, method, properties, body):
    print("received %r%s" % (body, " again" if method.redelivered else ""))
    time.sleep(body.count(b'.'))
    print("done")
    ch.basic_ack(delivery_tag = method.delivery_tag)


channel.basic_qos(prefetch_count=1)
channel.basic_consume(callback,
                      queue='task_queue')

print('waiting for tasks')
channel.start_consuming()
