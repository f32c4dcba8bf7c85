import assert from "node:assert/strict";
import { test } from "node:test";
import { Fatal, Retry } from "../errors.js";
import { isNoObject, s3BlobError } from "./s3-error.js";

/** An error as the SDK throws it. */
function sdkError(name: string, httpStatusCode?: number): Error {
  return Object.assign(new Error("the store's words"), { name, $metadata: { httpStatusCode } });
}

for (const [name, status, advice] of [
  ["AccessDenied", 403, /s3:GetObject/],
  ["InvalidAccessKeyId", 403, /AWS_ACCESS_KEY_ID/],
  ["ExpiredToken", 400, /credentials/],
  ["CredentialsProviderError", undefined, /credentials/],
  ["NoSuchBucket", 404, /BLOB_URL/],
  ["PermanentRedirect", 301, /AWS_REGION/],
  ["RequestTimeTooSkewed", 403, /clock/],
  ["XAdminUserNotFound", 404, /credentials/],
  ["SomethingNew", 403, /credentials/],
] as const) {
  test(`${name} stops the process, and says what to look at`, () => {
    const error = s3BlobError("s3://bucket/prefix", sdkError(name, status));
    assert.ok(error instanceof Fatal);
    assert.match(error.message, advice);
    assert.match(error.message, /s3:\/\/bucket\/prefix can not be used/);
  });
}

for (const error of [
  sdkError("SlowDown", 503),
  sdkError("InternalError", 500),
  sdkError("TooManyRequests", 429),
  sdkError("RequestTimeout", 400),
  sdkError("TimeoutError"),
  Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" }),
  Object.assign(new Error("getaddrinfo ENOTFOUND"), { code: "ENOTFOUND" }),
]) {
  test(`${error.name} (${error.message}) is tried again, with its cause`, () => {
    const translated = s3BlobError("s3://bucket", error);
    assert.ok(translated instanceof Retry);
    assert.equal(translated.cause, error);
  });
}

test("without a region it says that one is wanted", () => {
  assert.match(s3BlobError("s3://bucket", new Error("Region is missing")).message, /set AWS_REGION/);
});

test("a missing object is no missing bucket", () => {
  assert.ok(isNoObject(sdkError("NoSuchKey", 404)));
  assert.ok(!isNoObject(sdkError("NoSuchBucket", 404)));
  assert.ok(!isNoObject(undefined));
});
