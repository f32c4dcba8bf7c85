/** Asks the gateway that runs on this machine with this DATA_DIR, through the door that it left open there (gateway/operator-server.ts). */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { z } from "zod";
import {
  type CancelReply,
  cancelReply,
  DOOR_FILE,
  OPERATOR_PATHS,
  type OperatorDoor,
  operatorDoor,
  type SessionList,
  sessionList,
} from "./gateway/operator-api.js";
import { requestJson } from "./runtime/http.js";

export interface OperatorClient {
  sessions(all: boolean): Promise<SessionList>;
  cancel(id: string, by: string): Promise<CancelReply>;
}

const CALL_TIMEOUT_MS = 30_000;
/** A list of a month's sessions. */
const MAX_ANSWER_BYTES = 64 * 2 ** 20;
const WHERE = "It runs where its DATA_DIR is: name the same one here, or run this in the gateway's container.";

/** @throws Error that says what to do when no gateway has its door there */
export async function connectOperator(dataDir: string): Promise<OperatorClient> {
  const file = join(dataDir, "gateway", DOOR_FILE);
  const door = await readDoor(file);
  return {
    sessions: (all) => ask(door, { method: "GET", path: `${OPERATOR_PATHS.sessions}${all ? "?all" : ""}` }, sessionList),
    cancel: (id, by) => ask(door, { method: "POST", path: OPERATOR_PATHS.cancel, body: { id, by } }, cancelReply),
  };
}

async function readDoor(file: string): Promise<OperatorDoor> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    if (code === "ENOENT") throw new Error(`no gateway is running with this DATA_DIR (there is no ${file}). ${WHERE}`);
    throw new Error(`${file} can not be read; only the user that the gateway runs as can`, { cause });
  }
  const parsed = operatorDoor.safeParse(parseOrNothing(text));
  if (!parsed.success) throw new Error(`${file} is not what a gateway of this version writes; restart the gateway`);
  return parsed.data;
}

interface Question {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: unknown;
}

async function ask<T>(door: OperatorDoor, { method, path, body }: Question, answer: z.ZodType<T>): Promise<T> {
  const { address, token, gateway, pid, startedAt } = door;
  const headers = { authorization: `Bearer ${token}` };
  const request = { method, url: `${address}${path}`, headers, body, timeoutMs: CALL_TIMEOUT_MS, maxBodyBytes: MAX_ANSWER_BYTES };
  const reply = await requestJson(request, new AbortController().signal).catch((cause: unknown) => {
    throw new Error(`the gateway ${gateway} (process ${pid}, started ${startedAt}) does not answer; it may have been killed. ${WHERE}`, {
      cause,
    });
  });
  const parsed = answer.safeParse(reply.body);
  if (reply.status === 200 && parsed.success) return parsed.data;
  throw new Error(`the gateway ${gateway} answered HTTP ${reply.status}: ${JSON.stringify(reply.body)?.slice(0, 200)}`);
}

function parseOrNothing(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
