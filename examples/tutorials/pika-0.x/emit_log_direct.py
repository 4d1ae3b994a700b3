#!/usr/bin/env python
# Direct: the severity is the routing key.
import sys

import pika

connection = pika.BlockingConnection(pika.ConnectionParameters(host='localhost'))
channel = connection.channel()

channel.exchange_declare(exchange='direct_logs', type='direct')

severity = sys.argv[1] if len(sys.argv) > 1 else 'info'
line = ' '.join(sys.argv[2:]) or 'all is quiet'
channel.basic_publish(exchange='direct_logs', routing_key=severity, body=line)
print("sent %r:%r" % (severity, line))

connection.close()
