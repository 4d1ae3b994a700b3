#!/usr/bin/env python
# Topics: the keys are words, the patterns may hold * and #.
import sys

import pika

connection = pika.BlockingConnection(pika.ConnectionParameters(host='localhost'))
channel = connection.channel()

channel.exchange_declare(exchange='topic_logs', type='topic')

key = sys.argv[1] if len(sys.argv) > 1 else 'anonymous.info'
line = ' '.join(sys.argv[2:]) or 'all is quiet'
channel.basic_publish(exchange='topic_logs', routing_key=key, body=line)
print("sent %r:%r" % (key, line))

connection.close()
