// A client whose address can be set, over plain HTTP. It has no task for a drag: what is not done here is refused so that
// it says so.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";

const require = createRequire(import.meta.url);
const { KEY, HTTP, PICTURE } = process.env;
const {
  CapMonsterCloudClientFactory,
  ClientOptions,
  ComplexImageTaskRecognitionRequest,
} = require("@zennolab_com/capmonstercloud-client");

const client = (clientKey) => {
  const options = new ClientOptions({ clientKey, serviceUrl: `http://${HTTP}` });
  return CapMonsterCloudClientFactory.Create(options);
};

test("@zennolab_com/capmonstercloud-client: balance", async () => {
  assert.ok((await client(KEY).getBalance()).balance > 0);
});

test("@zennolab_com/capmonstercloud-client: refusals", async () => {
  const task = new ComplexImageTaskRecognitionRequest({
    imagesBase64: [readFileSync(PICTURE, "base64")],
    metaData: { Task: "shein" },
  });
  for (const [key, error] of [
    ["0123456789abcdef0123456789abcdef", "KEY_DOES_NOT_EXIST"],
    [KEY, "Unknown"], // what it makes of ERROR_TASK_NOT_SUPPORTED,
  ]) {
    const refused = await client(key).Solve(task);
    assert.equal(refused.error, error);
  }
});
