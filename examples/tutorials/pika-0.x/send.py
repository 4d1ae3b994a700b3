#!/usr/bin/env python
# Hello, as it was written for pika 0.x.
import pika

connection = pika.BlockingConnection(pika.ConnectionParameters(host='localhost'))
channel = connection.channel()

channel.queue_declare(queue='hello')
channel.basic_publish(exchange='', routing_key='hello', body='a hare says hello')
print("sent one message")

connection.close()
