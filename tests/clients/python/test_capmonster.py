"""capmonstercloudclient has no task for a drag: what is not done here is refused so that it says so."""

import asyncio
import base64
import unittest

from capmonstercloudclient import CapMonsterClient, ClientOptions
from capmonstercloudclient.requests import RecognitionComplexImageTaskRequest

import common


class CapMonster(unittest.TestCase):
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


if __name__ == "__main__":
    unittest.main()
