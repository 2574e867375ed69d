"""Clients whose address can be set, over plain HTTP."""

import asyncio
import base64
import unittest

from async_2captcha.client import Async2Captcha
from async_2captcha.errors.client_errors import (
    ErrorCaptchaUnsolvable,
    ErrorKeyDoesNotExist,
    ErrorZeroBalance,
)
from python_anticaptcha import AnticaptchaClient, AnticaptchaException
from python_anticaptcha.tasks import BaseTask

import common


class Drag(BaseTask):
    def __init__(self, path):
        self.path = path

    def serialize(self, **result):
        body = base64.b64encode(common.picture(self.path)).decode()
        return {**result, "type": "ImageToCoordinatesTask", "mode": "points", "body": body}


class PythonAnticaptcha(unittest.TestCase):
    def client(self, key=common.KEY):
        return AnticaptchaClient(key, host=common.HTTP, use_ssl=False)

    def test_solve_report_and_balance(self):
        job = self.client().create_task(Drag(common.PICTURE))
        job.join()
        self.assertEqual(job.get_solution()["coordinates"], common.POINTS)
        self.assertTrue(job.report_incorrect_image())
        self.assertGreater(self.client().get_balance(), 0)

    def test_refusals(self):
        for key, code in [
            (common.WRONG_KEY, "ERROR_KEY_DOES_NOT_EXIST"),
            (common.POOR_KEY, "ERROR_ZERO_BALANCE"),
        ]:
            with self.assertRaises(AnticaptchaException) as caught:
                self.client(key).create_task(Drag(common.PICTURE))
            self.assertEqual(caught.exception.error_code, code)
        with self.assertRaises(AnticaptchaException) as caught:
            self.client().create_task(Drag(common.UNSOLVABLE)).join()
        self.assertEqual(caught.exception.error_code, "ERROR_CAPTCHA_UNSOLVABLE")


class AsyncTwoCaptcha(unittest.TestCase):
    def client(self, key=common.KEY):
        client = Async2Captcha(key)
        client.session.base_url = f"http://{common.HTTP}"
        return client

    def solve(self, client, path=common.PICTURE):
        async def solve():
            return await client.coordinates.create_task(
                common.picture(path), comment="drag", min_clicks=2, max_clicks=2
            )

        return asyncio.run(solve())

    def test_solve_and_report(self):
        solved = self.solve(self.client())
        expected = [{"x": x, "y": y} for x, y in common.POINTS]
        self.assertEqual(solved.solution.coordinates, expected)

    def test_reports_are_taken(self):
        async def report():
            client = self.client()
            body = base64.b64encode(common.picture()).decode()
            task = await client.create_task("CoordinatesTask", {"body": body})
            await task.wait_until_completed()
            for _ in range(2):
                await task.report_correct()

        asyncio.run(report())

    def test_refusals(self):
        with self.assertRaises(ErrorKeyDoesNotExist):
            self.solve(self.client(common.WRONG_KEY))
        with self.assertRaises(ErrorZeroBalance):
            self.solve(self.client(common.POOR_KEY))
        with self.assertRaises(ErrorCaptchaUnsolvable):
            self.solve(self.client(), common.UNSOLVABLE)


if __name__ == "__main__":
    unittest.main()
