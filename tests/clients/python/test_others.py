"""Clients that cannot be installed beside those of the other files."""

import asyncio
import base64
import unittest

from capmonstercloudclient import CapMonsterClient, ClientOptions
from capmonstercloudclient.requests import RecognitionComplexImageTaskRequest
from twocaptcha import AsyncTwoCaptcha, TwoCaptcha

import common


class CapMonster(unittest.TestCase):
    """It has no task for a drag: what is not done here is refused so that it says so."""

    def client(self, key):
        return CapMonsterClient(ClientOptions(api_key=key, service_url=f"http://{common.HTTP}"))

    def test_balance(self):
        balance = asyncio.run(self.client(common.KEY).get_balance())
        self.assertGreater(balance["balance"], 0)

    def test_another_question_is_refused(self):
        image = base64.b64encode(common.picture()).decode()
        request = RecognitionComplexImageTaskRequest(
            imagesBase64=[image], metadata={"Task": "oocl_rotate_new"}
        )
        with self.assertRaises(Exception) as caught:
            asyncio.run(self.client(common.KEY).solve_captcha(request))
        self.assertIn("ERROR_TASK_NOT_SUPPORTED", str(caught.exception))


class TwoCaptchaPythonAsync(unittest.TestCase):
    """2captcha-python-async, an older one than the asynchronous client of 2captcha-python."""

    ANSWER = "coordinates:x={},y={};x={},y={}".format(*common.POINTS[0], *common.POINTS[1])

    def test_solve_report_and_balance(self):
        async def solve():
            client = AsyncTwoCaptcha(common.KEY, server=common.TLS)
            solved = await client.coordinates(common.PICTURE, hintText="drag")
            await client.report(solved["captchaId"], True)
            return solved["code"], await client.balance()

        code, balance = asyncio.run(solve())
        self.assertEqual(code, self.ANSWER)
        self.assertGreater(balance, 0)

    def test_without_async(self):
        solved = TwoCaptcha(common.KEY, server=common.TLS).coordinates(common.PICTURE)
        self.assertEqual(solved["code"], self.ANSWER)

    def test_refusals(self):
        for key, path, code in [
            (common.WRONG_KEY, common.PICTURE, "ERROR_KEY_DOES_NOT_EXIST"),
            (common.POOR_KEY, common.PICTURE, "ERROR_ZERO_BALANCE"),
            (common.KEY, common.UNSOLVABLE, "ERROR_CAPTCHA_UNSOLVABLE"),
        ]:
            with self.assertRaises(Exception) as caught:
                asyncio.run(AsyncTwoCaptcha(key, server=common.TLS).coordinates(path))
            self.assertIn(code, str(caught.exception))


if __name__ == "__main__":
    unittest.main()
