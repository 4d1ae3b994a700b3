"""A very small test runner that reports in TAP, for `checked-program.ts` to read.

    @check
    def it_holds(): ...

    run()
"""
import os
import sys
import time
import traceback

_checks = []


def check(function):
    _checks.append(function)
    return function


def run():
    """Run the checks in order, in spite of failures, and end the process."""
    print(f"1..{len(_checks)}")
    failed = 0
    for number, function in enumerate(_checks, 1):
        name = function.__name__.replace("_", " ")
        try:
            function()
        except BaseException:  # SystemExit too: a check must not end the run
            failed += 1
            print(f"not ok {number} - {name}")
            for line in traceback.format_exc().splitlines():
                print(f"# {line}")
        else:
            print(f"ok {number} - {name}")
        sys.stdout.flush()
    # Not sys.exit: a library's threads would keep the process for seconds (oslo.messaging's do).
    os._exit(1 if failed else 0)


def equal(got, expected):
    assert got == expected, f"got {got!r}, expected {expected!r}"


def raises(kind, function, *args, **kwargs):
    """The exception that the call must raise."""
    try:
        result = function(*args, **kwargs)
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}, but {result!r}")


def eventually(holds, what, seconds=20, step=0.02):
    """Poll until it holds; the value that made it hold."""
    deadline = time.monotonic() + seconds
    while True:
        value = holds()
        if value:
            return value
        assert time.monotonic() < deadline, f"still not: {what}"
        time.sleep(step)
