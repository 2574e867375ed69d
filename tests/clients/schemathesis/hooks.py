"""Requests that mean well get a picture that can be solved, and wait for 2 s at most."""

import base64
import os
import zlib

import schemathesis

with open(os.environ["PICTURE"], "rb") as picture:
    PICTURE = picture.read()


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.operation.path != "/v1/drags" or not is_well_meant(case):
        return
    if "wait" in (case.query or {}):
        case.query["wait"] = min(int(case.query["wait"]), 2)
    # Every other one, and the same ones in each run.
    if zlib.crc32(repr((case.query, case.headers)).encode()) % 2:
        return
    if isinstance(case.body, dict) and "image" in case.body:
        case.body["image"] = base64.b64encode(PICTURE).decode()
        case.body.pop("region", None)
        case.body.pop("deadline", None)
        (case.query or {}).pop("region", None)


def is_well_meant(case):
    generation = case.meta and case.meta.generation
    return generation is not None and generation.mode.is_positive
