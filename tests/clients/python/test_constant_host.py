"""Clients with the service's address in their source: its name leads to the gateway, on port 443."""

import base64
import time
import unittest

import requests
from anticaptchaofficial.imagetocoordinates import imagetocoordinates

import common

common.lead_names_here()


class AnticaptchaOfficial(unittest.TestCase):
    def client(self, key=common.KEY):
        client = imagetocoordinates()
        client.set_verbose(0)
        client.set_key(key)
        return client

    def test_solve_report_and_balance(self):
        client = self.client()
        self.assertEqual(client.solve_and_return_solution(common.PICTURE), common.POINTS)
        self.assertGreater(client.get_balance(), 0)
        self.assertTrue(client.report_incorrect_image_captcha())

    def test_refusals(self):
        for key, path, code in [
            (common.WRONG_KEY, common.PICTURE, "ERROR_KEY_DOES_NOT_EXIST"),
            (common.POOR_KEY, common.PICTURE, "ERROR_ZERO_BALANCE"),
            (common.KEY, common.UNSOLVABLE, "ERROR_CAPTCHA_UNSOLVABLE"),
        ]:
            client = self.client(key)
            self.assertEqual(client.solve_and_return_solution(path), 0)
            self.assertEqual(client.error_code, code)


class Omocaptcha(unittest.TestCase):
    """The requests and the reading of OMOCaptcha.py, which is on no registry."""

    BASE = "https://omocaptcha.com/api/"

    def post(self, method, **body):
        answer = requests.post(self.BASE + method, json=body, timeout=10).json()
        if not answer["success"]:
            raise RuntimeError(answer["message"])
        return answer

    def solve(self, key, data):
        job = self.post("createJob", api_token=key, data=data)["job_id"]
        for _ in range(20):
            result = self.post("getJobResult", api_token=key, job_id=job)
            if result["status"] == "waiting":
                time.sleep(3)
            elif result["status"] == "fail":
                raise RuntimeError("fail")
            elif result["status"] == "success":
                return result["result"]
        raise TimeoutError

    def data(self, path=common.PICTURE, **more):
        image = base64.b64encode(common.picture(path)).decode()
        return {"type_job_id": 24, "image_base64": image, **more}

    def test_points_and_a_distance(self):
        expected = "|".join(str(number) for point in common.POINTS for number in point)
        self.assertEqual(self.solve(common.KEY, self.data()), expected)
        int(self.solve(common.KEY, self.data(width_view=340)))

    def test_refusals(self):
        for key, path in [
            (common.WRONG_KEY, common.PICTURE),
            (common.POOR_KEY, common.PICTURE),
            (common.KEY, common.UNSOLVABLE),
        ]:
            with self.assertRaises(RuntimeError):
                self.solve(key, self.data(path))


if __name__ == "__main__":
    unittest.main()
