import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLogger } from "./log.js";

function logged(use: (log: ReturnType<typeof createLogger>) => void): string {
  let text = "";
  use(
    createLogger("debug", (line) => {
      text += line;
    }),
  );
  return text;
}

describe("the process log", () => {
  it("is one JSON object a line, with level, time, fields and message", () => {
    const line = JSON.parse(logged((log) => log.child({ run: "01J" }).info({ assets: 3 }, "accepted")));
    assert.deepEqual({ ...line, time: "" }, { level: "info", time: "", run: "01J", assets: 3, msg: "accepted" });
    assert.match(line.time, /^\d{4}-\d\d-\d\dT.*Z$/);
  });

  it("never shows keys, secrets or tokens, wherever a caller puts them", () => {
    const text = logged((log) => {
      log.info({ apiKey: "canary-1", session: { secret: "canary-2" }, token: "canary-3", uploadUrl: "http://bucket/canary-4" }, "hello");
      log.child({ authorization: "canary-5" }).error({}, "hello");
    });
    assert.doesNotMatch(text, /canary/);
  });

  it("cuts the query off every URL in messages and fields, for it may be a signature", () => {
    const text = logged((log) =>
      log.warn({ cause: "PUT https://bucket.example/a.zip?X-Amz-Signature=canary failed" }, "GET http://h/x?sig=canary"),
    );
    assert.doesNotMatch(text, /canary/);
    assert.match(text, /https:\/\/bucket\.example\/a\.zip\?\[redacted\]/);
  });

  it("leaves lines below its level out", () => {
    let text = "";
    createLogger("warn", (line) => {
      text += line;
    }).info({}, "quiet");
    assert.equal(text, "");
  });
});
