import assert from "node:assert/strict";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { UserFailure } from "../runtime/gateway-calls.js";
import { upload } from "./upload.js";

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "maskline-upload-"));
});
after(() => rm(folder, { recursive: true, force: true }));

test("an archive larger than one upload takes is refused at once, with its size and what to do; one of just that size is sent", async () => {
  const file = join(folder, "archive.zip");
  await writeFile(file, "");
  let sent = 0;
  const put = async () => {
    sent += 1;
    return { status: 200, complaint: "", retryAfterMs: undefined };
  };
  // No byte of it is on the disk: the file is a hole.
  const send = async (bytes: number) => {
    await truncate(file, bytes);
    const { signal } = new AbortController();
    await upload("http://storage/a.zip?signature=s3cret", file, { put, timeoutMs: 1_000, allowFileTargets: false }, signal);
  };
  await send(5 * 2 ** 30);
  assert.equal(sent, 1);
  await assert.rejects(send(5 * 2 ** 30 + 1), (error) => {
    assert.ok(error instanceof UserFailure);
    assert.match(error.message, /takes 5\.1 GiB, and the storage takes 5 GiB.*batch_names/);
    assert.doesNotMatch(error.message, /s3cret/);
    return true;
  });
  assert.equal(sent, 1);
});
