"""How long published clients wait for an answer, at the pace that they have by default: asked of a provider directly, and
through the gateway. `bash tests/clients/pace.sh` starts both.

The provider, an emulator, speaks no TLS: what clients would send over TLS goes over plain HTTP here.
"""

import asyncio
import base64
import os
import sys
import time

import requests

KEY = os.environ["KEY"]

send = requests.Session.request


def over_plain_http(self, method, url, *more, **named):
    """Leads a client with a constant address, or one that speaks TLS only, to the place that is asked."""
    path = "/" + url.split("://", 1)[1].partition("/")[2]
    if not path.startswith(PREFIX):
        path = PREFIX + path
    return send(self, method, PLACE + path, *more, **named)


requests.Session.request = over_plain_http
PLACE = PREFIX = ""


def two_captcha(place, picture):
    from twocaptcha import TwoCaptcha

    TwoCaptcha(KEY, server=PLACE.removeprefix("http://")).coordinates(picture)


def async_2captcha(place, picture):
    from async_2captcha.client import Async2Captcha

    async def solve():
        client = Async2Captcha(KEY)
        client.session.base_url = place
        await client.coordinates.create_task(open(picture, "rb").read())

    asyncio.run(solve())


def python_anticaptcha(place, picture):
    from python_anticaptcha import AnticaptchaClient
    from python_anticaptcha.tasks import BaseTask

    class Drag(BaseTask):
        def serialize(self, **result):
            body = base64.b64encode(open(picture, "rb").read()).decode()
            return {**result, "type": "ImageToCoordinatesTask", "mode": "points", "body": body}

    client = AnticaptchaClient(KEY, host=PLACE.removeprefix("http://"), use_ssl=False)
    client.create_task(Drag()).join()


def anticaptchaofficial(place, picture):
    from anticaptchaofficial.imagetocoordinates import imagetocoordinates

    client = imagetocoordinates()
    client.set_verbose(0)
    client.set_key(KEY)
    assert client.solve_and_return_solution(picture) != 0, client.err_string


CLIENTS = {
    "2captcha-python": (two_captcha, ""),
    "async-2captcha": (async_2captcha, "/2captcha"),
    "python-anticaptcha": (python_anticaptcha, "/anticaptcha"),
    "anticaptchaofficial": (anticaptchaofficial, "/anticaptcha"),
}


def seconds(solve, place, prefix, picture):
    global PLACE, PREFIX
    PLACE, PREFIX = place, prefix
    begun = time.monotonic()
    solve(place + prefix, picture)
    return time.monotonic() - begun


def main(places, pictures):
    """`places` are pairs of a job's seconds, the emulator and the gateway."""
    print("client               job   straight   through   ratio")
    failed = False
    for name, (solve, prefix) in CLIENTS.items():
        for job, emulator, gateway in places:
            straight = seconds(solve, emulator, prefix, next(pictures))
            through = seconds(solve, gateway, "", next(pictures))
            ratio = through / straight
            failed |= through > straight * 1.05 + 0.05
            print(f"{name:<20} {job:>2} s   {straight:6.2f} s   {through:5.2f} s   {ratio:.2f} x", flush=True)
    return failed


if __name__ == "__main__":
    triples = [argument.split(",") for argument in sys.argv[2:]]
    folder = sys.argv[1]
    pictures = (os.path.join(folder, name) for name in sorted(os.listdir(folder)))
    sys.exit(main(triples, pictures))
