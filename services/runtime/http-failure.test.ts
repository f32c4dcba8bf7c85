import assert from "node:assert/strict";
import { test } from "node:test";
import { complaintOf, HttpFailure, isPassingHttpFailure, nameOf, parseRetryAfter } from "./http-failure.js";

test("a URL is shown as its origin and path only", () => {
  assert.equal(nameOf("GET", "https://user:pass@host:8443/a/b.zip?X-Amz-Signature=abc#f"), "GET https://host:8443/a/b.zip");
  assert.equal(nameOf("PUT", "no url?secret"), "PUT (not a URL)");
});

test("Retry-After is read as seconds or as a date", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  assert.equal(parseRetryAfter("3"), 3000);
  assert.equal(parseRetryAfter("Thu, 01 Jan 2026 00:00:05 GMT", now), 5000);
  assert.equal(parseRetryAfter("Wed, 31 Dec 2025 00:00:05 GMT", now), 0);
  assert.equal(parseRetryAfter("soon"), undefined);
  assert.equal(parseRetryAfter(undefined), undefined);
});

test("faults of the connection and of the server pass, refusals do not", () => {
  const status = (code: number, retryAfterMs?: number) =>
    new HttpFailure({ kind: "status", target: "t", detail: "d", status: code, retryAfterMs });
  assert.equal(isPassingHttpFailure(new HttpFailure({ kind: "network", target: "t", detail: "d" })), true);
  assert.equal(isPassingHttpFailure(new HttpFailure({ kind: "too large", target: "t", detail: "d" })), false);
  assert.equal(isPassingHttpFailure(status(503)), true);
  assert.deepEqual(isPassingHttpFailure(status(429, 2000)), { afterMs: 2000 });
  for (const code of [302, 400, 401, 403, 404, 501]) assert.equal(isPassingHttpFailure(status(code)), false, String(code));
  assert.equal(isPassingHttpFailure(new Error("other")), false);
});

test("of a storage's XML only code and message are kept, for the rest repeats the signature", () => {
  const xml =
    "<Error><Code>SignatureDoesNotMatch</Code><Message>It does not match.</Message><SignatureProvided>5ecre7</SignatureProvided></Error>";
  assert.equal(complaintOf(xml), "SignatureDoesNotMatch: It does not match.");
  assert.equal(complaintOf("see https://h/p?sig=1 \n there"), "see https://h/p?[redacted] there");
  const inMessage = "<Code>Denied</Code><Message>by wss://u:canary@h/p#canary</Message>";
  assert.equal(complaintOf(inMessage), "Denied: by wss://h/p?[redacted]");
  assert.ok(complaintOf("x".repeat(5000)).length < 210);
});
