"""Clients that speak TLS only, and whose host can be set."""

import asyncio
import base64
import unittest

from twocaptcha import AsyncTwoCaptcha, TwoCaptcha
from twocaptcha.exceptions.api import ApiException
from twocaptcha.exceptions.solver import SolverExceptions

import common

ANSWER = "coordinates:x={},y={};x={},y={}".format(*common.POINTS[0], *common.POINTS[1])


class TwoCaptchaPython(unittest.TestCase):
    def client(self, key=common.KEY, **more):
        return TwoCaptcha(key, server=common.TLS, **more)

    def test_a_file_and_base64(self):
        client = self.client()
        for file in [common.PICTURE, base64.b64encode(common.picture()).decode()]:
            solved = client.coordinates(file, hintText="drag", lang="en", min_clicks=2, max_clicks=2)
            self.assertEqual(solved["code"], ANSWER)

    def test_extended_response(self):
        solved = self.client(extendedResponse=True).coordinates(common.PICTURE)
        expected = [{"x": str(x), "y": str(y)} for x, y in common.POINTS]
        self.assertEqual(solved["code"], expected)

    def test_report_and_balance(self):
        client = self.client()
        solved = client.coordinates(common.PICTURE)
        for _ in range(2):
            client.report(solved["captchaId"], True)
        self.assertGreater(client.balance(), 0)

    def test_refusals(self):
        for key, path, code in [
            (common.WRONG_KEY, common.PICTURE, "ERROR_KEY_DOES_NOT_EXIST"),
            (common.POOR_KEY, common.PICTURE, "ERROR_ZERO_BALANCE"),
            (common.KEY, common.UNSOLVABLE, "ERROR_CAPTCHA_UNSOLVABLE"),
        ]:
            with self.assertRaises((ApiException, SolverExceptions), msg=code) as caught:
                self.client(key).coordinates(path)
            self.assertIn(code, str(caught.exception))

    def test_async(self):
        async def solve():
            client = AsyncTwoCaptcha(common.KEY, server=common.TLS)
            return await client.coordinates(common.PICTURE)

        self.assertEqual(asyncio.run(solve())["code"], ANSWER)


if __name__ == "__main__":
    unittest.main()
