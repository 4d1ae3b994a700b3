"""The transports and the names that oslo_server.py and oslo_checks.py share.

RUN makes the names of this run its own, on a broker that others use too. OPTIONS are the options of
oslo.messaging's RabbitMQ driver, as JSON.
"""
import json
import os

import oslo_messaging
from oslo_config import cfg

RUN = os.environ["RUN"]
TOPIC = f"topic-{RUN}"

# rabbit:// is oslo.messaging's name for amqp://. It logs in by AMQPLAIN.
URL = os.environ["AMQP_URL"].replace("amqp://", "rabbit://").rstrip("/") + "/"

# The global configuration: oslo.messaging 14 registers the options of its metrics there alone.
cfg.CONF([])
oslo_messaging.set_transport_defaults(f"exchange-{RUN}")


def rpc_transport(prefetch_count=0):
    transport = configured(oslo_messaging.get_rpc_transport(cfg.CONF, URL))
    cfg.CONF.set_override("rabbit_qos_prefetch_count", prefetch_count, "oslo_messaging_rabbit")
    return transport


def notification_transport():
    return configured(oslo_messaging.get_notification_transport(cfg.CONF, URL))


def configured(transport):
    """The driver has registered its options, and reads them when it connects."""
    for name, value in json.loads(os.environ["OPTIONS"]).items():
        cfg.CONF.set_override(name, value, "oslo_messaging_rabbit")
    return transport
