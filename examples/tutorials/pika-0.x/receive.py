#!/usr/bin/env python
# Hello, as it was written for pika 0.x: the callback comes first, no_ack is the old auto_ack.
import pika

connection = pika.BlockingConnection(pika.ConnectionParameters('localhost'))
channel = connection.channel()
channel.queue_declare(queue='hello')


def callback(ch, method, properties, body):
    print("received %r" % body)


channel.basic_consume(callback,
                      queue='hello',
                      no_ack=True)

print('waiting for messages')
channel.start_consuming()
