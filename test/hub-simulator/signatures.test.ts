import assert from "node:assert/strict";
import { test } from "node:test";
import { presign, refuseSignature } from "./signatures.js";

const key = Buffer.from("a key of the test");
const now = Date.parse("2026-11-20T10:11:12Z");
const target = new URL("http://127.0.0.1:9/bucket/p/exports/masks.zip");
const signed = (lifetime = 60) => new URL(presign(key, "PUT", target, lifetime, now));

test("a presigned URL carries the parameters of S3 and is accepted for its method", () => {
  const url = signed();
  assert.deepEqual(
    [...url.searchParams.keys()],
    ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature"],
  );
  assert.equal(refuseSignature(key, "PUT", url, now), undefined);
  assert.equal(refuseSignature(key, "GET", url, now)?.code, "SignatureDoesNotMatch");
});

test("an altered path, date, lifetime, further parameter or signature is refused with 403", () => {
  const alterations: ((url: URL) => void)[] = [
    (url) => {
      url.pathname += "x";
    },
    (url) => url.searchParams.set("X-Amz-Date", "20261120T101113Z"),
    (url) => url.searchParams.set("X-Amz-Expires", "61"),
    (url) => url.searchParams.set("storageId", "other"),
    (url) => url.searchParams.set("X-Amz-Signature", "00".repeat(32)),
  ];
  for (const alter of alterations) {
    const url = signed();
    alter(url);
    assert.deepEqual(
      [refuseSignature(key, "PUT", url, now)].map((refusal) => [refusal?.status, refusal?.code]),
      [[403, "SignatureDoesNotMatch"]],
    );
  }
  assert.equal(refuseSignature(key, "PUT", target, now)?.code, "AccessDenied");
});

test("a URL ends with its lifetime", () => {
  assert.equal(refuseSignature(key, "PUT", signed(60), now + 59_999), undefined);
  assert.equal(refuseSignature(key, "PUT", signed(60), now + 60_000)?.message, "Request has expired");
  assert.equal(refuseSignature(key, "PUT", signed(0), now)?.message, "Request has expired");
});
