import assert from "node:assert/strict";
import { test } from "node:test";
import { Retry } from "../runtime/errors.js";
import type { Answer } from "./hub.js";
import type { LogRecord } from "./log-record.js";
import { Outbox } from "./outbox.js";

const never = new AbortController().signal;
const answer: Answer = { export: true, response: "https://signed", session: "s" };
const record = (msg: string, session = "s"): LogRecord => ({ level: "INFO", organization: "o", pluginId: "p", runBy: "r", session, msg });

function line() {
  const sent: string[] = [];
  return {
    sent,
    log: ({ msg }: LogRecord) => void sent.push(msg),
    response: (value: Answer) => void sent.push(JSON.stringify(value)),
  };
}

async function isSettled(work: Promise<unknown>): Promise<boolean> {
  const open = Symbol("open");
  return (await Promise.race([work.catch(() => {}), new Promise((resolve) => setImmediate(resolve, open))])) !== open;
}

test("an answer is confirmed by the second ping after it, for the first may have crossed it", async () => {
  const outbox = new Outbox();
  outbox.connected(line());
  const sending = outbox.answer(answer, never);
  outbox.pinged();
  assert.equal(await isSettled(sending), false);
  outbox.pinged();
  await sending;
});

test("an answer goes out again on the next connection until confirmed, the same bytes; pings do not add up over connections", async () => {
  const outbox = new Outbox();
  const lines = [line(), line(), line()] as const;
  outbox.connected(lines[0]);
  const sending = outbox.answer(answer, never);
  outbox.pinged();
  outbox.lost();
  outbox.connected(lines[1]);
  outbox.pinged();
  assert.equal(await isSettled(sending), false);
  outbox.pinged();
  await sending;
  outbox.lost();
  outbox.connected(lines[2]);
  assert.deepEqual(lines[0].sent, [JSON.stringify(answer)]);
  assert.deepEqual(lines[1].sent, lines[0].sent);
  assert.deepEqual(lines[2].sent, []);
});

test("while Hub is away logs wait, the newest 200 of a session, and the gap is told; answers all go out, behind them", async () => {
  const outbox = new Outbox();
  for (let k = 0; k < 250; k += 1) outbox.log(record(`line ${k}`));
  outbox.log(record("other", "t"));
  const sending = outbox.answer(answer, never);
  const next = line();
  outbox.connected(next);
  assert.equal(next.sent.length, 203);
  assert.match(next.sent[0] ?? "", /^50 earlier lines were left out/);
  assert.equal(next.sent[1], "line 50");
  assert.equal(next.sent[200], "line 249");
  assert.deepEqual(next.sent.slice(201), ["other", JSON.stringify(answer)]);
  outbox.log(record("live"));
  assert.equal(next.sent.at(-1), "live");
  outbox.pinged();
  outbox.pinged();
  await sending;
});

test("an abort or the end of the outbox rejects what is unconfirmed, and it is not sent any more", async () => {
  const outbox = new Outbox();
  const controller = new AbortController();
  const aborted = outbox.answer(answer, controller.signal);
  controller.abort(new Error("enough"));
  await assert.rejects(aborted, /^Error: enough$/);
  await assert.rejects(outbox.answer(answer, controller.signal), /^Error: enough$/);
  const next = line();
  outbox.connected(next);
  assert.deepEqual(next.sent, []);
  const closing = outbox.answer(answer, never);
  outbox.close();
  await assert.rejects(closing, Retry);
});

test("an error that explains an answer is sent again with it after a cut, before it; other lines are not", () => {
  const outbox = new Outbox();
  const lines = [line(), line(), line()] as const;
  outbox.connected(lines[0]);
  outbox.log(record("progress"));
  outbox.log({ ...record("why"), level: "ERROR" });
  void outbox.answer(answer, never).catch(() => {});
  outbox.pinged();
  outbox.lost();
  outbox.log(record("while away"));
  outbox.connected(lines[1]);
  assert.deepEqual(lines[1].sent, ["why", "while away", JSON.stringify(answer)]);
  outbox.pinged();
  outbox.pinged();
  outbox.lost();
  outbox.connected(lines[2]);
  assert.deepEqual(lines[2].sent, []);
});
