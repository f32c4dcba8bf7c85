/** What a plugin sends to Hub, whichever plugin it is: recorded at the simulator, with everything that differs between runs left out. */
import type { IncomingMessage } from "node:http";
import type { RequestName } from "../hub-simulator/http-answers.js";
import { type HubEvent, type HubSimulator, type RunOptions, startHubSimulator } from "../hub-simulator/server.js";
import { PROJECT } from "../pipeline/pipeline.js";
import { polygon, row, square } from "../pipeline/rows.js";
import { eventuallyHolds } from "../support/eventually-holds.js";

export const PLUGIN = { pluginId: "5f0000000000000000000009", pluginSecret: "sdk-plugin-secret" };
const API_KEY = "sdk-api-key";
const PATIENCE_MS = 30_000;

/** The sessions that are recorded, one after the other. */
export const SESSIONS: Readonly<Record<string, Partial<RunOptions>>> = {
  plain: { configJSON: "{}" },
  "all stages": { stage: [], batches: [] },
  "some stages and batches, key frames only": {
    configJSON: '{"include_key_frames_only": true}',
    stage: ["Complete", "Second look & more", "Prüfung"],
    batches: ["b1"],
  },
  failing: { configJSON: '{"class_mapping_type": "fail"}' },
};

/** An event over the socket: its name and, of its one argument, each field with its type, in order. */
export interface RecordedEvent {
  readonly event: string;
  readonly arguments: number;
  /** It asks for an acknowledgement. */
  readonly acknowledged: boolean;
  readonly fields: readonly string[];
}

export interface RecordedRequest {
  readonly name: RequestName;
  readonly method: string;
  /** Path and query as they came, with what differs between runs replaced. */
  readonly target: string;
  /** Names in lower case, sorted. */
  readonly headers: readonly string[];
  readonly contentType: string | null;
  readonly keyed: boolean;
  /** Of a JSON body: each field with its type, in order. */
  readonly fields: readonly string[] | null;
}

export interface RecordedSession {
  readonly events: readonly RecordedEvent[];
  readonly requests: readonly RecordedRequest[];
  /** The answer to `POST /plugin`, and whether Hub had the result by then; null over the socket. */
  readonly posted: { readonly status: number; readonly body: string; readonly afterResult: boolean } | null;
}

export interface Recording {
  /** The query of the WebSocket handshake without its time, and the packet that joins the namespace; null over HTTP. */
  readonly handshake: { readonly query: readonly string[]; readonly join: string } | null;
  /** What came on the connection before any session. */
  readonly greeting: readonly RecordedEvent[];
  /** What the plugin's server answers; null over the socket. */
  readonly server: Readonly<Record<string, { readonly status: number; readonly body: string }>> | null;
  readonly sessions: Readonly<Record<string, RecordedSession>>;
}

export interface PluginUnderTest {
  /** Where Hub calls it; undefined: it dials Hub. */
  readonly pluginServer: string | undefined;
  stop(): Promise<void>;
}

/** Starts a plugin against a simulated Hub, runs the sessions, and tells what it sent. */
export async function recordPlugin(start: (hub: string) => Promise<PluginUnderTest>): Promise<Recording> {
  const events: HubEvent[] = [];
  const frames: string[] = [];
  const requests: { readonly name: RequestName; readonly request: IncomingMessage }[] = [];
  const handshakes: string[] = [];
  const rows = ["a", "b"].map((id) => row({ id, standing: "reviewed", tools: [polygon("Road", "road", square(1, 1, 4))] }));
  const hub = await startHubSimulator({
    projects: [{ project: PROJECT, rows }],
    ...PLUGIN,
    ...{ apiKey: API_KEY, pingInterval: 100 },
    faults: { onRequest: (name, request) => void requests.push({ name, request }) },
    onEvent: (event) => events.push(event),
    onFrame: (frame) => frames.push(frame),
    onHandshake: (url) => handshakes.push(url),
  });
  let plugin: PluginUnderTest | undefined;
  try {
    plugin = await start(hub.url);
    const { pluginServer } = plugin;
    if (pluginServer === undefined) await hub.waitForPlugin(PATIENCE_MS);
    const greeting = eventsIn(frames.splice(0));
    const handshake = pluginServer === undefined ? { query: withoutTime(handshakes[0] ?? ""), join: greeting.join } : null;
    const sessions: Record<string, RecordedSession> = {};
    for (const [name, run] of Object.entries(SESSIONS)) {
      sessions[name] = await recordSession(
        hub,
        { ...run, ...(pluginServer === undefined ? {} : { pluginServer }) },
        { events, frames, requests },
      );
    }
    if (hub.violations.length > 0) throw new Error(`it broke the protocol: ${hub.violations.join("; ")}`);
    return { handshake, greeting: greeting.events, server: pluginServer === undefined ? null : await probe(pluginServer), sessions };
  } finally {
    await plugin?.stop();
    await hub.close();
  }
}

interface Tapes {
  readonly events: HubEvent[];
  readonly frames: string[];
  readonly requests: { readonly name: RequestName; readonly request: IncomingMessage }[];
}

async function recordSession(hub: HubSimulator, run: Partial<RunOptions>, { events, frames, requests }: Tapes): Promise<RecordedSession> {
  for (const tape of [events, frames, requests]) tape.length = 0;
  const handle = await hub.run({ projectId: PROJECT._id, ...run });
  await eventuallyHolds(() => {
    if (handle.results.length === 0) throw new Error(`no result; the log: ${handle.logs.map(({ msg }) => msg).join("\n")}`);
  }, PATIENCE_MS);
  const isPosted = (event: HubEvent) => "posted" in event;
  if (run.pluginServer !== undefined) {
    await eventuallyHolds(() => {
      if (!events.some(isPosted)) throw new Error("the POST is not answered");
    }, PATIENCE_MS);
  }
  const posted = events.find((event) => "posted" in event);
  const bodies = events.flatMap((event): readonly object[] => ("log" in event ? [event.log] : "response" in event ? [event.response] : []));
  const recorded = requests
    .filter(({ name }) => name !== "archive")
    .map(({ name, request }) => recordedRequest(name, request, handle.session, name.startsWith("plugin") ? bodies.shift() : undefined));
  return {
    events: eventsIn(frames).events,
    requests: recorded,
    posted: posted
      ? {
          ...{ status: posted.posted.status, body: posted.posted.body },
          afterResult: events.findIndex(isPosted) > events.findIndex((event) => "response" in event),
        }
      : null,
  };
}

function recordedRequest(
  name: RequestName,
  { method = "", url = "", headers }: IncomingMessage,
  session: string,
  body: unknown,
): RecordedRequest {
  return {
    name,
    method,
    target: unvarying(url, session),
    headers: Object.keys(headers).sort(),
    contentType: headers["content-type"] ?? null,
    keyed: headers.apikey === API_KEY,
    fields: body === undefined ? null : fieldsOf(body),
  };
}

/** Hosts, signatures and dates differ between runs, and each plugin names its archive. */
function unvarying(url: string, session: string): string {
  return url
    .replaceAll(/127\.0\.0\.1(:|%3A)\d+/gi, "HUB")
    .replaceAll(/(X-Amz-(?:Signature|Date|Credential)(?:=|%3D))[^&]*?(?=&|%26|$)/g, "$1…")
    .replaceAll(/([=/]|%2F)([\w.-]+\.zip)/g, (_, before, file) => `${before}${file.includes("masks") ? "ARCHIVE" : "EXPORT"}`)
    .replaceAll(session, "SESSION");
}

function eventsIn(frames: readonly string[]): { readonly join: string; readonly events: readonly RecordedEvent[] } {
  const join = frames.find((frame) => frame.startsWith("0/plugin")) ?? "";
  const events = frames.flatMap((frame): RecordedEvent[] => {
    const match = /^2\/plugin,(\d*)(\[.*)$/s.exec(frame);
    if (!match) return [];
    const [event, ...args] = JSON.parse(match[2] ?? "[]") as [string, ...unknown[]];
    return [{ event, arguments: args.length, acknowledged: match[1] !== "", fields: fieldsOf(args[0]) }];
  });
  return { join, events };
}

function fieldsOf(value: unknown): readonly string[] {
  if (typeof value !== "object" || value === null) return [typeof value];
  return Object.entries(value).map(([name, field]) => `${name}: ${typeof field}`);
}

/** `EIO=4&transport=websocket`, sorted. */
function withoutTime(url: string): readonly string[] {
  return [...new URL(url, "http://hub").searchParams].flatMap(([name, value]) => (name === "t" ? [] : [`${name}=${value}`])).sort();
}

/** What a plugin's server answers to right and wrong calls. */
async function probe(server: string): Promise<NonNullable<Recording["server"]>> {
  const json = { "Content-Type": "application/json" };
  const known = { Secret: PLUGIN.pluginSecret };
  const calls: Readonly<Record<string, readonly [method: string, path: string, headers: Readonly<Record<string, string>>, body?: string]>> =
    {
      heartbeat: ["GET", "/heartbeat", known],
      "heartbeat with a wrong secret": ["GET", "/heartbeat", { Secret: "wrong" }],
      "heartbeat without a secret": ["GET", "/heartbeat", {}],
      "session with a wrong secret": ["POST", "/plugin", { ...json, Secret: "wrong" }, "{}"],
      "another path": ["GET", "/another", known],
      "another method": ["GET", "/plugin", known],
      "no JSON": ["POST", "/plugin", { ...json, ...known }, "not json"],
      "no object": ["POST", "/plugin", { ...json, ...known }, "5"],
    };
  const answers: Record<string, { status: number; body: string }> = {};
  for (const [what, [method, path, headers, body]] of Object.entries(calls)) {
    const answer = await fetch(new URL(path, server), { method, headers, ...(body === undefined ? {} : { body }) });
    answers[what] = { status: answer.status, body: answer.status < 402 ? await answer.text() : "" };
    if (answer.status >= 402) await answer.body?.cancel();
  }
  return answers;
}
