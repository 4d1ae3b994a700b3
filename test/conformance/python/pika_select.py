"""pika's SelectConnection: everything by callback, on one event loop a check."""
import functools
import os
import uuid

import pika
from checks import check, equal, run

PARAMETERS = pika.URLParameters(os.environ["AMQP_URL"])
SECONDS_MAX = 20


def on_a_channel(function):
    """Make a check of a function (session), called when a channel is open; it calls finish."""

    @functools.wraps(function)
    def checked():
        session = Session(function)
        session.loop()

    return check(checked)


class Session:
    """A connection, a channel and what happened to them."""

    def __init__(self, on_ready):
        self.on_ready = on_ready
        self.channel = None
        self.error = None
        self.finished = False
        self.connection = pika.SelectConnection(
            PARAMETERS,
            on_open_callback=lambda connection: connection.channel(on_open_callback=self.opened),
            on_open_error_callback=lambda connection, error: self.fail(error),
            on_close_callback=self.closed,
        )
        self.on_connection_close = None
        self.connection.ioloop.call_later(
            SECONDS_MAX, lambda: self.fail(AssertionError("not finished in time")))

    def opened(self, channel):
        self.channel = channel
        self.guard(self.on_ready)(self)

    def guard(self, function):
        """A failed assertion in a callback ends the loop and then the check."""

        def guarded(*args, **kwargs):
            try:
                function(*args, **kwargs)
            except AssertionError as error:
                self.fail(error)

        return guarded

    def finish(self):
        self.finished = True
        self.connection.close()

    def fail(self, error):
        self.error = error
        self.connection.ioloop.stop()

    def closed(self, connection, reason):
        if self.on_connection_close is not None:
            self.guard(self.on_connection_close)(reason)
        connection.ioloop.stop()

    def loop(self):
        self.connection.ioloop.start()
        if self.error is not None:
            raise self.error
        assert self.finished, "closed before it was finished"


@on_a_channel
def publish_with_confirms_and_consume(session):
    channel = session.channel
    unconfirmed, bodies = set(range(1, 101)), []

    def check_end():
        if len(bodies) == 100 and not unconfirmed:
            equal(bodies, [str(number).encode() for number in range(100)])
            session.finish()

    def on_confirm(frame):
        method = frame.method
        assert isinstance(method, pika.spec.Basic.Ack), method
        tag = method.delivery_tag
        done = {each for each in unconfirmed if each <= tag} if method.multiple else {tag}
        assert done and done <= unconfirmed, f"{done} confirmed, waiting for {unconfirmed}"
        unconfirmed.difference_update(done)
        check_end()

    def on_message(ch, method, properties, body):
        bodies.append(body)
        ch.basic_ack(method.delivery_tag)
        check_end()

    def on_declared(frame):
        queue = frame.method.queue
        channel.confirm_delivery(session.guard(on_confirm), callback=lambda _: on_ready(queue))

    def on_ready(queue):
        channel.basic_qos(prefetch_count=10)
        channel.basic_consume(queue, session.guard(on_message))
        for number in range(100):
            channel.basic_publish("", queue, str(number))

    channel.queue_declare("", exclusive=True, callback=on_declared)


@on_a_channel
def an_unroutable_message_returns_before_its_confirm(session):
    channel = session.channel
    events = []

    def on_return(ch, method, properties, body):
        events.append((method.reply_code, method.reply_text, body))

    def on_confirm(frame):
        equal(events, [(312, "NO_ROUTE", b"lost")])
        session.finish()

    channel.add_on_return_callback(on_return)
    channel.confirm_delivery(
        session.guard(on_confirm),
        callback=lambda _: channel.basic_publish("amq.direct", "nowhere", "lost", mandatory=True),
    )


@on_a_channel
def a_consumer_of_a_deleted_queue_is_cancelled(session):
    channel = session.channel
    name = f"q-{uuid.uuid4()}"

    def on_cancel(frame):
        equal(frame.method.consumer_tag, "mine")
        session.finish()

    channel.add_on_cancel_callback(session.guard(on_cancel))
    channel.queue_declare(name)
    channel.basic_consume(
        name, lambda *args: None, consumer_tag="mine",
        callback=lambda _: channel.queue_delete(name),
    )


@on_a_channel
def exchanges_and_queues_by_callback(session):
    channel = session.channel
    exchange = f"x-{uuid.uuid4()}"
    answers = []

    def then(step):
        return lambda frame: (answers.append(type(frame.method).__name__), session.guard(step)())

    def bind():
        channel.queue_bind("", exchange, "k", callback=then(unbind))

    def unbind():
        channel.queue_unbind("", exchange, "k", callback=then(delete))

    def delete():
        channel.exchange_delete(exchange, if_unused=True, callback=then(end))

    def end():
        equal(answers, ["DeclareOk", "DeclareOk", "BindOk", "UnbindOk", "DeleteOk"])
        session.finish()

    channel.exchange_declare(exchange, "direct", callback=then(
        lambda: channel.queue_declare("", exclusive=True, callback=then(bind))))


@on_a_channel
def a_channel_error_says_why_and_leaves_the_connection(session):
    missing = f"missing-{uuid.uuid4()}"

    def on_close(channel, reason):
        equal((reason.reply_code, reason.reply_text),
              (404, f"NOT_FOUND - no queue '{missing}' in vhost '/'"))
        # The same connection opens another channel at once.
        session.connection.channel(on_open_callback=lambda channel: session.finish())

    session.channel.add_on_close_callback(session.guard(on_close))
    session.channel.queue_declare(missing, passive=True)


@on_a_channel
def a_connection_error_says_why(session):
    def on_close(reason):
        equal((reason.reply_code, reason.reply_text),
              (540, "NOT_IMPLEMENTED - prefetch_size!=0 (10)"))
        session.finished = True

    session.on_connection_close = on_close
    session.channel.basic_qos(prefetch_size=10)


@on_a_channel
def rpc_by_direct_reply_to(session):
    client = session.channel
    name = f"q-{uuid.uuid4()}"
    direct = "amq.rabbitmq.reply-to"

    def on_request(ch, method, properties, body):
        ch.basic_publish("", properties.reply_to, body.upper(),
                         pika.BasicProperties(correlation_id=properties.correlation_id))
        ch.basic_ack(method.delivery_tag)

    def on_reply(ch, method, properties, body):
        equal((properties.correlation_id, body), ("7", b"QUESTION"))
        session.finish()

    def on_server(server):
        server.queue_declare(name, exclusive=True)
        server.basic_consume(name, on_request, callback=lambda _: ask())

    def ask():
        client.basic_consume(direct, session.guard(on_reply), auto_ack=True)
        client.basic_publish("", name, "question",
                             pika.BasicProperties(reply_to=direct, correlation_id="7"))

    session.connection.channel(on_open_callback=on_server)


run()
