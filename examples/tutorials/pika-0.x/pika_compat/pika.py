"""Stands in front of pika 1.x so that programs written for pika 0.x run as they are.

Put this folder first on PYTHONPATH. `import pika` then finds this module, which loads the pika
that is installed, gives it the old signatures and takes its place. Nothing on disk is changed.
"""
import importlib
import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))


def _load_installed_pika():
    """Import pika from the rest of sys.path; this module steps aside in sys.modules."""
    own = sys.modules.pop("pika")
    path = sys.path
    sys.path = [entry for entry in path if os.path.abspath(entry or os.getcwd()) != _HERE]
    try:
        return importlib.import_module("pika")
    except ImportError:
        sys.modules["pika"] = own
        raise
    finally:
        sys.path = path


import pika_0x  # noqa: E402  (lies beside this file)

pika_0x.install(_load_installed_pika())
