import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BadPayload, parseSession } from "./session-payload.js";

const complete = {
  projectId: "5f0f",
  session: "s-1",
  apiKey: "key-1",
  orgId: "org",
  runBy: "user",
  configJSON: "{}",
  stage: ["A"],
  batches: ["b"],
};

function refusal(payload: unknown): BadPayload {
  try {
    parseSession(payload);
  } catch (error) {
    assert.ok(error instanceof BadPayload);
    return error;
  }
  return assert.fail("it was accepted");
}

test("a complete payload is taken as it is, unknown fields are ignored", () => {
  assert.deepEqual(parseSession({ ...complete, tags: [1], completed_at: null }), {
    session: "s-1",
    projectId: "5f0f",
    apiKey: "key-1",
    orgId: "org",
    runBy: "user",
    configJson: "{}",
    stage: ["A"],
    batches: ["b"],
  });
});

test("an absent stage is Complete, an empty list no filter, a bare text a list of one", () => {
  const stage = (value: unknown) => parseSession({ ...complete, stage: value }).stage;
  assert.deepEqual(stage(undefined), ["Complete"]);
  assert.deepEqual(stage(null), ["Complete"]);
  assert.equal(stage([]), undefined);
  assert.deepEqual(stage("Review"), ["Review"]);
});

test("absent batches are all batches", () => {
  for (const batches of [undefined, null, []]) assert.deepEqual(parseSession({ ...complete, batches }).batches, []);
});

test("the config stays text; an object is written as JSON", () => {
  const config = (value: unknown) => parseSession({ ...complete, configJSON: value }).configJson;
  assert.equal(config(undefined), undefined);
  assert.equal(config(null), undefined);
  assert.equal(config(""), "");
  assert.equal(config("not json"), "not json");
  assert.equal(config({ verbose: false }), '{"verbose":false}');
  assert.equal(config([]), "[]");
});

test("all problems are told at once, with the session so that it can be answered, and without the key", () => {
  const error = refusal({ ...complete, projectId: "../x", apiKey: "a key", stage: [1], batches: 7 });
  assert.equal(error.session, "s-1");
  assert.equal(error.orgId, "org");
  assert.equal(error.problems.length, 4);
  for (const field of ["projectId", "apiKey", "stage", "batches"]) assert.match(error.message, new RegExp(field));
  assert.ok(!error.message.includes("a key"));
});

test("a payload that is no object, or is binary, is refused", () => {
  for (const payload of [undefined, null, 1, "text", [], Buffer.from("{}")]) assert.equal(refusal(payload).session, undefined);
  assert.match(refusal({ ...complete, session: Buffer.from("s") }).message, /session is binary data/);
  assert.match(refusal({ ...complete, configJSON: Buffer.from("{}") }).message, /configJSON is binary data/);
  assert.match(refusal({ ...complete, session: undefined }).message, /session is missing/);
});

test("whatever comes, it is a session or a BadPayload", () => {
  const field = fc.anything({ withNullPrototype: true, withBigInt: false });
  const payload = fc.oneof(
    field,
    fc.record({ projectId: field, session: field, apiKey: field, orgId: field, stage: field, batches: field, configJSON: field }),
  );
  fc.assert(
    fc.property(payload, (value) => {
      try {
        parseSession(value);
      } catch (error) {
        assert.ok(error instanceof BadPayload, String(error));
      }
    }),
  );
});
