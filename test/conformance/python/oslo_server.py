"""An RPC server on TOPIC, for oslo_checks.py: `oslo_server.py NAME`."""
import sys
import time

import oslo_messaging
from oslo_transport import TOPIC, rpc_transport

NAME = sys.argv[1]


class BurrowError(Exception):
    """An exception of a module that the client does not know."""


class Endpoint:
    target = oslo_messaging.Target(version="1.2")

    def __init__(self):
        self.notes = []

    def whoami(self, context):
        return NAME

    def echo(self, context, value):
        return {"context": context, "value": value}

    def fail(self, context):
        raise ValueError("no carrots")

    def fail_in_its_own_way(self, context):
        raise BurrowError("fox ahead")

    def sleep(self, context, seconds):
        time.sleep(seconds)

    def note(self, context, text):
        self.notes.append(text)

    def notes_so_far(self, context):
        return self.notes


class Namespaced:
    target = oslo_messaging.Target(namespace="other", version="2.0")

    def whoami(self, context):
        return f"other {NAME}"


server = oslo_messaging.get_rpc_server(
    rpc_transport(prefetch_count=10),
    oslo_messaging.Target(topic=TOPIC, server=NAME),
    [Endpoint(), Namespaced()],
    executor="threading",
)
server.start()
print(f"{NAME} is ready")
server.wait()
