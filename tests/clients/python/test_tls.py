"""Clients that speak TLS only, and whose host can be set."""

import asyncio
import base64
import unittest

from async_2captcha.client import Async2Captcha
from solvecaptcha import Solvecaptcha
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

    def test_drag_and_drop(self):
        # Any piece will do: where it ends is looked for in the picture.
        solved = self.client().drag_and_drop(common.PICTURE, [common.PICTURE])
        self.assertEqual(solved["code"], f"{common.X2},{common.Y2}")

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


class SolvecaptchaPython(unittest.TestCase):
    def client(self, key=common.KEY, **more):
        return Solvecaptcha(key, server=common.TLS, **more)

    def test_solve_report_and_balance(self):
        client = self.client()
        solved = client.coordinates(common.PICTURE, hintText="drag")
        self.assertEqual(solved["code"], ANSWER)
        for correct in [True, True, False]:
            client.report(solved["captchaId"], correct)
        self.assertGreater(client.balance(), 0)

    def test_refusals(self):
        for key, path, code in [
            (common.WRONG_KEY, common.PICTURE, "ERROR_KEY_DOES_NOT_EXIST"),
            (common.POOR_KEY, common.PICTURE, "ERROR_ZERO_BALANCE"),
            (common.KEY, common.UNSOLVABLE, "ERROR_CAPTCHA_UNSOLVABLE"),
        ]:
            with self.assertRaises(Exception) as caught:
                self.client(key).coordinates(path)
            self.assertIn(code, str(caught.exception))


class AsyncTwoCaptchaOverHttp2(unittest.TestCase):
    def test_many_at_once_on_one_connection(self):
        versions = set()

        async def solve():
            client = Async2Captcha(common.KEY, http2=True)
            client.session.base_url = f"https://{common.TLS}"

            async def note(response):
                versions.add(response.http_version)

            client.session._client.event_hooks["response"].append(note)
            solves = (client.coordinates.create_task(common.picture(), comment="drag") for _ in range(20))
            return await asyncio.gather(*solves)

        expected = [{"x": x, "y": y} for x, y in common.POINTS]
        for solved in asyncio.run(solve()):
            self.assertEqual(solved.solution.coordinates, expected)
        self.assertEqual(versions, {"HTTP/2"})


if __name__ == "__main__":
    unittest.main()
