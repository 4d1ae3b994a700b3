#!/usr/bin/env python
# Fanout: the exchange's kind was given as `type`.
import sys

import pika

connection = pika.BlockingConnection(pika.ConnectionParameters(host='localhost'))
channel = connection.channel()

channel.exchange_declare(exchange='logs', type='fanout')

line = ' '.join(sys.argv[1:]) or "info: all is quiet"
channel.basic_publish(exchange='logs', routing_key='', body=line)
print("sent %r" % line)

connection.close()
