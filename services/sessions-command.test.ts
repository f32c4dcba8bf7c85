import assert from "node:assert/strict";
import { test } from "node:test";
import type { SessionView } from "./gateway/operator-api.js";
import { ageWords, sessionTable } from "./sessions-command.js";

const view: SessionView = {
  session: "S1",
  run: "01JH3Z5W8Q0V5T3N9K2M7RXBCD",
  project: "P1",
  state: "running",
  progress: { done: 1234, total: 5000 },
  acceptedAt: "2026-01-05T10:00:00.000Z",
};
const now = Date.parse("2026-01-05T10:04:30.000Z");

test("sessions stand in columns, a line each", () => {
  const { progress, ...waiting } = view;
  const ended: SessionView = { ...waiting, session: "S-3", state: "answering", result: "archive" };
  const table = sessionTable([view, { ...waiting, session: "S-2", project: "", state: "waiting" }, ended], now);
  assert.deepEqual(table.split("\n"), [
    "SESSION  RUN                         PROJECT  STATE                 PROGRESS             AGE",
    "S1       01JH3Z5W8Q0V5T3N9K2M7RXBCD  P1       runs                  1234 of 5000 (24 %)  4 min",
    "S-2      01JH3Z5W8Q0V5T3N9K2M7RXBCD  -        waits its turn        -                    4 min",
    "S-3      01JH3Z5W8Q0V5T3N9K2M7RXBCD  P1       is answered: archive  -                    4 min",
  ]);
});

test("what Hub calls a session can not move the terminal's cursor", () => {
  assert.ok(sessionTable([{ ...view, session: "a\u001b[2Jb\nc\u202ed" }], now).includes("a?[2Jb?c?d"));
});

test("an age is told in one unit", () => {
  assert.deepEqual([-5, 0, 119_999, 120_000, 7_200_000, 172_800_000].map(ageWords), ["0 s", "0 s", "119 s", "2 min", "2 h", "2 d"]);
});
