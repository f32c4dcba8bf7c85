import assert from "node:assert/strict";
import { test } from "node:test";
import { redact, redactUrls } from "./redact.js";

test("credentials, query and fragment of every URL are removed, whatever its scheme", () => {
  for (const [text, safe] of [
    ["PUT https://u:p@s3.host/a/b.zip?X-Amz-Signature=abc&x=1#f failed", "PUT https://s3.host/a/b.zip?[redacted] failed"],
    ["wss://h/p?secret=1, then http://h/p#secret", "wss://h/p?[redacted] then http://h/p?[redacted]"],
    ["nats://user:canary@broker:4222 is away", "nats://broker:4222 is away"],
    ["(https://h/<b>?sig=<1>&key=canary)", "(https://h/<b>?[redacted]"],
    ["https://h?a=1", "https://h?[redacted]"],
    ["see http://host/path, or ask?", "see http://host/path, or ask?"],
  ] as const) {
    assert.equal(redactUrls(text), safe);
  }
});

test("a line of JSON stays one, and no part of a query is left behind an escape", () => {
  const fields = { a: 'GET "https://h/p?sig=canary" failed', b: "https://h/p?x=1&sig=canary\\", c: "https://h/p?sig=canary" };
  const line = JSON.stringify(fields).replaceAll("&", "\\u0026");
  const safe = redactUrls(line);
  assert.doesNotMatch(safe, /canary/);
  assert.equal(JSON.parse(safe).a, 'GET "https://h/p?[redacted]" failed');
});

test("secrets are removed, plain or percent-encoded", () => {
  assert.equal(redact("key-0123, sh/hh and sh%2Fhh", ["key-0123", "sh/hh", "", "a"]), "[redacted], [redacted] and [redacted]");
});

test("signatures go too where their URL was torn to pieces, or encoded in another's query", () => {
  assert.equal(
    redactUrls("PUT /b/masks.zip&X-Amz-Credential=AKIA%2F2026&X-Amz-Date=2026&x-amz-signature=abc <Message>"),
    "PUT /b/masks.zip&X-Amz-Credential=[redacted]&X-Amz-Date=2026&x-amz-signature=[redacted] <Message>",
  );
  assert.equal(redactUrls("name=http%3A%2F%2Fb%3FX-Amz-Signature%3Dabc123"), "name=http%3A%2F%2Fb%3FX-Amz-Signature%3D[redacted]");
});
