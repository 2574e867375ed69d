// Clients with the service's address in their source: its name leads to the gateway, on port 443.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";

const require = createRequire(import.meta.url);
const { KEY, POOR_KEY, PICTURE, UNSOLVABLE, DRAG } = process.env;
const WRONG_KEY = "0123456789abcdef0123456789abcdef";
const [x1, y1, x2, y2] = DRAG.match(/\d+/g).map(Number);
const base64 = (path) => readFileSync(path).toString("base64");

const refusals = [
  [WRONG_KEY, PICTURE, "ERROR_KEY_DOES_NOT_EXIST"],
  [POOR_KEY, PICTURE, "ERROR_ZERO_BALANCE"],
  [KEY, UNSOLVABLE, "ERROR_CAPTCHA_UNSOLVABLE"],
];

const coordinates = (client, path) =>
  client.coordinates({ body: base64(path), textinstructions: "drag" });
// It has no method for coordinates, but one for any picture. Its JSON is sent as text, the rest in the query.
const imageCaptcha = (client, path) =>
  client.imageCaptcha(base64(path), { coordinatescaptcha: 1, textinstructions: "drag" });

for (const [name, ask] of [
  ["@2captcha/captcha-solver", coordinates],
  ["2captcha-ts", coordinates],
  ["2captcha", imageCaptcha],
]) {
  const { Solver } = require(name);
  const client = (key) => new Solver(key, 100);
  const solve = (key, path) => ask(client(key), path);

  test(`${name}: solve, report, balance`, async () => {
    const solved = await solve(KEY, PICTURE);
    const points = solved.data.map(({ x, y }) => [Number(x), Number(y)]);
    assert.deepEqual(points, [[x1, y1], [x2, y2]]);
    await client(KEY).goodReport(solved.id);
    await client(KEY).goodReport(solved.id);
    assert.ok((await client(KEY).balance()) > 0);
  });

  test(`${name}: refusals`, async () => {
    for (const [key, path, code] of refusals) {
      await assert.rejects(solve(key, path), (error) => String(error.err ?? error).includes(code), code);
    }
  });
}

test("@antiadmin/anticaptchaofficial: solve, report, balance", async () => {
  const client = require("@antiadmin/anticaptchaofficial");
  client.shutUp();
  client.setAPIKey(KEY);
  const points = await client.solveImageToCoordinates(base64(PICTURE), "drag", "points");
  assert.deepEqual(points, [[x1, y1], [x2, y2]]);
  await client.reportIncorrectImageCaptcha();
  assert.ok((await client.getBalance()) > 0);
});

test("@antiadmin/anticaptchaofficial: refusals", async () => {
  const client = require("@antiadmin/anticaptchaofficial");
  client.shutUp();
  for (const [key, path, code] of refusals) {
    client.setAPIKey(key);
    const solve = client.solveImageToCoordinates(base64(path), "drag", "points");
    await assert.rejects(solve, (error) => String(error.message ?? error).includes(code), code);
  }
});
