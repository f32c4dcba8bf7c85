import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { Retry } from "./errors.js";
import { type GatewayCalls, IdTaken, NotKnown, OutOfDate, UserFailure } from "./gateway-calls.js";
import { connectGateway, serveGateway } from "./grpc.js";

const TOKEN = "grpc-token-canary";
const logged: { fields: object; message: string }[] = [];
const log = { error: (fields: object, message: string) => void logged.push({ fields, message }) };

/** What a caller sees when the call fails with `error`, or is answered. */
async function callReport(error: unknown, token = TOKEN): Promise<unknown> {
  const report = async () => {
    if (error === undefined) return {};
    throw error;
  };
  const other = () => assert.fail("another call arrived");
  const calls: GatewayCalls = { getContext: other, sync: other, getUploadTarget: other, report };
  const listener = await serveGateway(calls, { host: "127.0.0.1", port: 0, token: TOKEN, log });
  const connection = connectGateway(`127.0.0.1:${listener.port}`, token);
  try {
    return await connection
      .report({ run: "R1", epoch: 1, result: { $case: "failed", value: { reason: "payload-canary" } } })
      .catch((seen: unknown) => seen);
  } finally {
    connection.close();
    await listener.close();
  }
}

it("a gateway whose port is taken does not start, and the error says which key to set", async () => {
  const never = () => assert.fail("a call arrived");
  const calls: GatewayCalls = { getContext: never, sync: never, getUploadTarget: never, report: never };
  const listener = await serveGateway(calls, { host: "127.0.0.1", port: 0, token: TOKEN });
  try {
    const again = serveGateway(calls, { host: "127.0.0.1", port: listener.port, token: TOKEN });
    await assert.rejects(again, new RegExp(`127\\.0\\.0\\.1:${listener.port}; set GRPC_PORT`));
  } finally {
    await listener.close();
  }
});

describe("a call to a gateway", () => {
  afterEach(() => logged.splice(0));

  for (const [error, kind] of [
    [new NotKnown("no such run"), NotKnown],
    [new OutOfDate("another epoch"), OutOfDate],
    [new IdTaken("two are p1"), IdTaken],
    [new UserFailure("Hub said no"), UserFailure],
    [new Retry("Hub is away"), Retry],
  ] as const) {
    it(`that fails with ${kind.name} does so at the caller, and is not the gateway's trouble`, async () => {
      const seen = await callReport(error);
      assert.ok(seen instanceof kind);
      assert.match(seen.message, new RegExp(error.message));
      assert.deepEqual(logged, []);
    });
  }

  it("that fails unexpectedly is a Retry at the caller, and in the gateway's log with its causes and nothing of the request", async () => {
    const seen = await callReport(new TypeError("x is undefined", { cause: new Error("a wrong turn") }));
    assert.ok(seen instanceof Retry);
    assert.deepEqual(logged, [
      { fields: { call: "report", error: "x is undefined: a wrong turn" }, message: "a call failed unexpectedly" },
    ]);
  });

  it("with another token is refused, with what to look at", async () => {
    const seen = await callReport(undefined, "another");
    assert.ok(seen instanceof Retry && /GRPC_TOKEN differs/.test(seen.message));
  });

  it("is answered", async () => {
    assert.deepEqual(await callReport(undefined), {});
  });
});
