"""What the tests of published clients share: the gateway that was started for them, and a picture whose drag is known."""

import os
import re
import socket

KEY = os.environ["KEY"]
POOR_KEY = os.environ["POOR_KEY"]
WRONG_KEY = "0123456789abcdef0123456789abcdef"

HTTP = os.environ["HTTP"]  # host:port
TLS = os.environ["TLS"]  # host:port

PICTURE = os.environ["PICTURE"]
UNSOLVABLE = os.environ["UNSOLVABLE"]

# The true drag, as `drag-solver challenge` prints it: x1,y1 -> x2,y2.
X1, Y1, X2, Y2 = (int(number) for number in re.findall(r"\d+", os.environ["DRAG"]))
POINTS = [[X1, Y1], [X2, Y2]]


def picture(path=PICTURE):
    with open(path, "rb") as file:
        return file.read()


def lead_names_here():
    """Where there is no network of their own, the services' names lead to the gateway here. The clients are as they are."""
    names = os.environ["NAMES"].split()
    look_up = socket.getaddrinfo

    def getaddrinfo(host, port, *more, **named):
        if host in names and port == 443:
            host, port = TLS.split(":")
        return look_up(host, port, *more, **named)

    if names:
        socket.getaddrinfo = getaddrinfo
