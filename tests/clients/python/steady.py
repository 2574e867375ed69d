"""Published clients that solve one picture after the other, for as long as nobody ends their input: for the test in which
gateways die. A client that is cut off is told so, and its user tries again, as users do. Prints how many were solved, and
how many are told to be unsolvable.

    steady.py HOST:PORT KEY FIRST
"""

import asyncio
import base64
import struct
import sys
import threading
import time

import requests
from async_2captcha.client import Async2Captcha
from async_2captcha.errors.client_errors import ErrorCaptchaUnsolvable
from python_anticaptcha import AnticaptchaClient, AnticaptchaException
from python_anticaptcha.tasks import BaseTask

ADDRESS, KEY, FIRST = sys.argv[1], sys.argv[2], int(sys.argv[3])
WIDTHS = 20_000
over = threading.Event()


def picture(number):
    """Its size tells a picture from others, and what its answer is."""
    size = struct.pack("<HH", 100 + number % WIDTHS, 900 + number // WIDTHS)
    return b"GIF89a" + size + b"\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\0;"


class Drag(BaseTask):
    def __init__(self, number):
        self.body = base64.b64encode(picture(number)).decode()

    def serialize(self, **result):
        return {**result, "type": "ImageToCoordinatesTask", "mode": "points", "body": self.body}


def with_python_anticaptcha(number):
    job = AnticaptchaClient(KEY, host=ADDRESS, use_ssl=False).create_task(Drag(number))
    job.join()
    return job.get_solution()["coordinates"]


def with_async_2captcha(number):
    async def solve():
        client = Async2Captcha(KEY)
        client.session.base_url = f"http://{ADDRESS}"
        return await client.coordinates.create_task(
            picture(number), comment="drag", min_clicks=2, max_clicks=2
        )

    return [[point["x"], point["y"]] for point in asyncio.run(solve()).solution.coordinates]


def solve(number):
    """Whether it is solved; it is tried until that is known."""
    one = with_async_2captcha if number % 2 else with_python_anticaptcha
    while True:
        try:
            points = one(number)
        except ErrorCaptchaUnsolvable:
            return False
        except AnticaptchaException as error:
            if error.error_code == "ERROR_CAPTCHA_UNSOLVABLE":
                return False
            time.sleep(0.1)  # no slot for now
        except Exception as error:  # cut off: each client has its own ways to say so
            if not isinstance(error, (OSError, requests.RequestException)):
                print(f"{one.__name__}: {type(error).__name__}: {error}", file=sys.stderr)
            time.sleep(0.1)
        else:
            x, y = number % WIDTHS, 20 + number // WIDTHS
            assert points == [[x, y], [x + 30, y + 20]], f"{number}: {points}"
            return True


counts = {True: 0, False: 0}
lock = threading.Lock()


def work(first):
    number = first
    while not over.is_set():
        told = solve(number)
        with lock:
            counts[told] += 1
        number += 4


threads = [threading.Thread(target=work, args=(FIRST + number,)) for number in range(4)]
for thread in threads:
    thread.start()
sys.stdin.read()
over.set()
for thread in threads:
    thread.join()
print(f"solved {counts[True]} unsolvable {counts[False]}")
