#!/usr/bin/env python
# The same queue with acknowledgements: no_ack left out, prefetch set, and what a delivery says.
import pika

connection = pika.BlockingConnection(pika.ConnectionParameters(
    'localhost'))
channel = connection.channel()
channel.queue_declare(queue='hello')


def callback(ch, method, properties, body):
    print(ch, method, properties)
    print("received %r" % body)
    ch.basic_ack(delivery_tag=method.delivery_tag)


channel.basic_qos(prefetch_count=1)
channel.basic_consume(callback, queue='hello')

print('waiting for messages')
channel.start_consuming()
