"""The signatures of pika 0.x (0.9 to 0.13), carried to a pika 1.x.

What is carried: BlockingConnection and its channel. Calls in the new form pass through, so a
program may be moved over one line at a time. What is not: the callback-first methods of
SelectConnection's channel, and TLS parameters (`ssl=True`, `ssl_options={...}`).
"""
import functools
import os

# pika 0.x and 1.x give a method's parameters in this order; only these differ.
_RENAMED = {"no_ack": "auto_ack", "all_channels": "global_qos", "type": "exchange_type"}
_POSITIONAL_PARAMETERS = (
    "host", "port", "virtual_host", "credentials", "channel_max", "frame_max", "heartbeat",
)


def install(pika):
    """Give the classes of the pika 1.x module `pika` their old signatures too."""
    from pika.adapters import blocking_connection

    _install_on_channel(blocking_connection.BlockingChannel, pika.exceptions)
    _install_on_connection(blocking_connection.BlockingConnection)
    _install_on_parameters(pika.connection)


def _install_on_channel(channel_class, exceptions):
    new = {name: getattr(channel_class, name) for name in dir(channel_class)}

    # Only the names of some parameters changed, and the empty queue name was the default.
    for name in ("queue_declare", "queue_delete", "queue_purge", "queue_bind", "queue_unbind",
                 "basic_get"):
        setattr(channel_class, name, _renamed(new[name], default_queue=True))
    for name in ("basic_qos", "exchange_declare"):
        setattr(channel_class, name, _renamed(new[name]))

    @functools.wraps(new["basic_consume"])
    def basic_consume(self, *args, **kwargs):
        # Before: (consumer_callback, queue, no_ack, ...); now: (queue, on_message_callback, ...).
        kwargs = _rename(kwargs)
        if "consumer_callback" in kwargs:
            kwargs["on_message_callback"] = kwargs.pop("consumer_callback")
        args = list(args)
        if args and callable(args[0]):
            kwargs["on_message_callback"] = args.pop(0)
            names = ("queue", "auto_ack", "exclusive", "consumer_tag", "arguments")
            kwargs.update(zip(names, args))
            args = []
        if not args:
            kwargs.setdefault("queue", "")
        return new["basic_consume"](self, *args, **kwargs)

    @functools.wraps(new["basic_publish"])
    def publish(self, exchange, routing_key, body, properties=None, mandatory=False,
                immediate=False):
        if immediate:
            raise NotImplementedError("pika 1.x has no immediate, and brokers refuse it (540)")
        new["basic_publish"](self, exchange, routing_key, body, properties, mandatory)
        return True

    @functools.wraps(new["basic_publish"])
    def basic_publish(self, *args, **kwargs):
        # With confirms on, 0.x answered False where 1.x raises.
        try:
            return publish(self, *args, **kwargs)
        except (exceptions.NackError, exceptions.UnroutableError):
            return False

    @functools.wraps(new["consume"])
    def consume(self, queue, *args, **kwargs):
        # Without a message in time 0.x yielded None, 1.x yields (None, None, None).
        for delivery in new["consume"](self, queue, *args, **_rename(kwargs)):
            yield None if delivery[0] is None else delivery

    channel_class.basic_consume = basic_consume
    channel_class.basic_publish = basic_publish
    channel_class.publish = publish
    channel_class.consume = consume


def _install_on_connection(connection_class):
    def add_timeout(self, deadline, callback_method):
        return self.call_later(deadline, callback_method)

    connection_class.add_timeout = add_timeout


def _install_on_parameters(connection):
    """ConnectionParameters learns the old names, and that AMQP_URL says where the broker is."""
    new_init = connection.ConnectionParameters.__init__

    @functools.wraps(new_init)
    def __init__(self, *args, **kwargs):
        kwargs.update(zip(_POSITIONAL_PARAMETERS, args))
        kwargs.pop("backpressure_detection", None)
        if "heartbeat_interval" in kwargs:
            kwargs["heartbeat"] = kwargs.pop("heartbeat_interval")
        # In 0.x None was the default of everything, in 1.x it is a value.
        kwargs = {name: value for name, value in kwargs.items() if value is not None}
        if kwargs.get("host", "localhost") == "localhost" and "port" not in kwargs:
            kwargs.pop("host", None)
            kwargs = {**_broker_of_environment(connection), **kwargs}
        new_init(self, **kwargs)

    connection.ConnectionParameters.__init__ = __init__


def _broker_of_environment(connection):
    """What AMQP_URL says: old programs have the host in their text, nearly always 'localhost'."""
    url = os.environ.get("AMQP_URL")
    if url is None:
        return {}
    parameters = connection.URLParameters(url)
    return {
        "host": parameters.host,
        "port": parameters.port,
        "virtual_host": parameters.virtual_host,
        "credentials": parameters.credentials,
    }


def _rename(kwargs):
    return {_RENAMED.get(name, name): value for name, value in kwargs.items()}


def _renamed(method, default_queue=False):
    @functools.wraps(method)
    def with_old_names(self, *args, **kwargs):
        kwargs = _rename(kwargs)
        if default_queue and not args:
            kwargs.setdefault("queue", "")
        return method(self, *args, **kwargs)

    return with_old_names
