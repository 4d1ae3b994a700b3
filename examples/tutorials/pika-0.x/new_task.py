#!/usr/bin/env python
# A durable queue and a persistent message, as written for pika 0.x.
import sys

import pika

connection = pika.BlockingConnection(pika.ConnectionParameters(host='localhost'))
channel = connection.channel()

channel.queue_declare(queue='task_queue', durable=True)

task = ' '.join(sys.argv[1:]) or "dig a burrow..."
channel.basic_publish(exchange='',
                      routing_key='task_queue',
                      body=task,
                      properties=pika.BasicProperties(
                          delivery_mode = 2,  # persistent
                      ))
print("sent %r" % task)

connection.close()
