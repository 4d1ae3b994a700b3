"""pika's ExternalCredentials: a client that logs in by its certificate."""
import os
import ssl
import sys
from pathlib import Path

import pika

sys.path.insert(0, str(Path(__file__).parent.parent / "conformance" / "python"))
from checks import check, equal, run  # noqa: E402

PORT = int(os.environ["PORT"])


def parameters(with_certificate=True):
    context = ssl.create_default_context(cafile=os.environ["CA_FILE"])
    if with_certificate:
        context.load_cert_chain(os.environ["CERT_FILE"], os.environ["KEY_FILE"])
    return pika.ConnectionParameters(
        host="localhost",
        port=PORT,
        credentials=pika.credentials.ExternalCredentials(),
        ssl_options=pika.SSLOptions(context, "localhost"),
    )


@check
def a_certificate_is_enough():
    connection = pika.BlockingConnection(parameters())
    channel = connection.channel()
    queue = channel.queue_declare("", exclusive=True).method.queue
    channel.basic_publish("", queue, b"hello", pika.BasicProperties(user_id="CN=pika,O=acme"))
    _, _, body = channel.basic_get(queue, auto_ack=True)
    equal(body, b"hello")
    connection.close()


@check
def no_certificate_is_not():
    try:
        pika.BlockingConnection(parameters(with_certificate=False))
    except pika.exceptions.ProbableAuthenticationError:
        return
    except pika.exceptions.AMQPConnectionError as error:
        equal("403" in repr(error) or "ACCESS_REFUSED" in repr(error), True)
        return
    raise AssertionError("was let in")


run()
