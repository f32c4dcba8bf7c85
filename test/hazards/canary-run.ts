/**
 * Sessions that end well and badly, with a look at everything that leaves the services: prints the canaries found, by channel, as JSON.
 * `node canary-run.js WS|REST`.
 */
import { mkdtemp, rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectGateway } from "../../services/runtime/grpc.js";
import { serveHealth } from "../../services/runtime/health.js";
import { metricsText } from "../../services/runtime/telemetry/metrics.js";
import { observedBus } from "../../services/runtime/telemetry/observed-bus.js";
import { withTelemetry } from "../../services/runtime/telemetry/start.js";
import type { Fault, RequestName } from "../hub-simulator/http-answers.js";
import type { SimulatedProject } from "../hub-simulator/rest.js";
import { startHubSimulator } from "../hub-simulator/server.js";
import { PROJECT } from "../pipeline/pipeline.js";
import { readArchiveBytes } from "../support/archive.js";
import { eventuallyHolds } from "../support/eventually-holds.js";
import { startOtlpReceiver } from "../telemetry/otlp-receiver.js";
import { type Canaries, findCanaries } from "./canaries.js";
import { filesUnder } from "./files-under.js";
import { startServices } from "./services.js";
import { ROWS } from "./stage.js";

const PATIENCE_MS = 30_000;
const connector = process.argv[2] === "REST" ? "REST" : "WS";
const secrets = {
  "api key": "canary+api/key=0123456789",
  "plugin secret": "canary plugin secret & more",
  "GRPC token": "canary-grpc-token-0123456789",
  STATE_KEY: "canary state key 0123456789",
};
const KEPT = "kept signature";

/** Everything that was seen, by channel. */
const channels = new Map<string, Buffer[]>();
function see(channel: string, ...seen: readonly (Buffer | string | Uint8Array)[]): void {
  const all = channels.get(channel) ?? [];
  all.push(...seen.map((part) => Buffer.from(part)));
  channels.set(channel, all);
}

/** Signatures of presigned URLs, as they are used: what each is for. */
const signatures = new Map<string, RequestName>();
const signatureIn = (url: string) => /X-Amz-Signature=([0-9a-f]+)/.exec(url)?.[1];

const message = (request: IncomingMessage) =>
  `no ${secrets["api key"]} and ${secrets["plugin secret"]} at http://hub.test${request.url}&X-Amz-Signature=${LOST_SIGNATURE}`;
const LOST_SIGNATURE = "0".repeat(24).concat("canary5ignature");

/** What Hub and its storage do to the projects after the first, which repeat secrets in their complaints. */
const FAULTS: readonly ((name: RequestName, request: IncomingMessage) => Fault | undefined)[] = [
  () => undefined,
  (name, request) => (name === "export" ? { status: 400, body: { status: "fail", message: message(request) } } : undefined),
  (name, request) => (name === "download" ? { status: 404, body: message(request) } : undefined),
  (name, request) =>
    name === "upload"
      ? { status: 403, body: `<Error><Code>AccessDenied</Code><Message>${ownSignature(request)}</Message></Error>` }
      : undefined,
  (name, request) =>
    name === "getUploadUrl"
      ? { status: 302, headers: { Location: `http://127.0.0.1:9${request.url}&k=${secrets["api key"]}` } }
      : undefined,
  (name, request) => (name === "project" ? { status: 200, body: { status: "error", message: message(request) } } : undefined),
];

const ownSignature = ({ url = "" }: IncomingMessage) => `http://bucket.test/x?X-Amz-Signature=${signatureIn(url)}`;

async function run(): Promise<void> {
  const projects: SimulatedProject[] = FAULTS.map((_, index) => ({
    project: { ...PROJECT, _id: `64aa0000000000000000000${index}` },
    rows: ROWS,
  }));
  const faultOf = (name: RequestName, request: IncomingMessage) => {
    const signature = signatureIn(request.url ?? "");
    if (signature !== undefined && !(request.url ?? "").startsWith("/v2/")) signatures.set(signature, name);
    if (!(request.url ?? "").startsWith("/v2/")) see("requests to storage", JSON.stringify(request.rawHeaders));
    const index = Number(/64aa0000000000000000000(\d)/.exec(request.url ?? "")?.[1] ?? 0);
    return FAULTS[index]?.(name, request);
  };
  const hub = await startHubSimulator({
    projects,
    ...{ pluginId: "plugin-1", pluginSecret: secrets["plugin secret"], apiKey: secrets["api key"], pingInterval: 100 },
    faults: { onRequest: faultOf },
  });
  const dataDir = await mkdtemp(join(tmpdir(), "maskline-canaries-"));
  let grpcAddress = "";
  const tap = await tapped(() => grpcAddress);
  const services = await startServices({
    ...{ connector, hub: hub.url, pluginId: "plugin-1", pluginSecret: secrets["plugin secret"], dataDir, port: 0 },
    onLine: (line) => see("service log", line),
    env: { STATE_KEY: secrets.STATE_KEY, UPLOAD_ATTEMPTS: "2" },
    grpcToken: secrets["GRPC token"],
    dial: (address) => {
      grpcAddress = address;
      return tap.address;
    },
    // What is put into headers is seen too.
    wrapBus: (bus) =>
      observedBus(
        {
          ...bus,
          publish: (outgoing, signal) => {
            see("bus", outgoing.body, JSON.stringify({ ...outgoing, body: "" }));
            return bus.publish(outgoing, signal);
          },
        },
        { system: "maskline_memory" },
      ),
  });
  try {
    const plugin = connector === "REST" ? { pluginServer: `http://127.0.0.1:${services.port}` } : {};
    const handles = [];
    for (const { project } of projects) {
      // One after the other: on disk is what one leaves.
      const handle = await hub.run({ projectId: project._id, stage: [], ...plugin });
      await eventuallyHolds(() => {
        if (handle.results.length === 0) throw new Error(handle.logs.map(({ msg }) => msg).join("\n"));
      }, PATIENCE_MS);
      see("disk while a result waits", ...(await filesUnder(dataDir)).map(({ bytes }) => bytes));
      handles.push(handle);
    }
    await confirmed(handles.length);
    see("disk after the end", ...(await filesUnder(dataDir)).map(({ bytes }) => bytes));
    for (const handle of handles) {
      see("Hub log", ...handle.logs.map((record) => JSON.stringify(record)));
      for (const result of handle.results) {
        const own = signatureIn(result.response ?? "") ?? "";
        see("results", JSON.stringify(result).replace(own, KEPT));
        if (result.export) see("archive", ...[...(await readArchiveBytes(await handle.download()))].flat());
      }
    }
    await errorAnswers(services.port, grpcAddress);
    see("/metrics", await shownMetrics());
  } finally {
    await services.stop();
    await tap.close();
    await hub.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** With everything that the run sends away, until its end. */
async function watchedRun(): Promise<void> {
  const collector = await startOtlpReceiver();
  Object.assign(process.env, collector.env);
  try {
    await withTelemetry({ role: "all", version: "0.0.0" }, process.env, run);
  } finally {
    await collector.close();
  }
  if (collector.spans.length === 0 || collector.metrics.size === 0) throw new Error("no spans, or no metrics, were sent");
  see("traces and metrics", ...collector.bodies);
}

async function shownMetrics(): Promise<string> {
  const health = await serveHealth(0, { notReady: () => undefined, metrics: metricsText, host: "127.0.0.1" });
  try {
    return await (await fetch(`http://127.0.0.1:${health.port}/metrics`)).text();
  } finally {
    await health.close();
  }
}

/** What every channel must be free of; a link for an upload goes to the packager over gRPC, and nowhere else. */
function found(): Record<string, string[]> {
  const links = [...signatures].map(([signature, name], index): readonly [string, string] => [`signature of ${name} ${index}`, signature]);
  const all: Canaries = { ...secrets, ...Object.fromEntries(links), "signature in a complaint": LOST_SIGNATURE };
  const uploads = new Set(links.filter(([name]) => name.includes("upload")).map(([name]) => name));
  return Object.fromEntries(
    [...channels].map(([channel, seen]) => {
      const names = [...new Set(seen.flatMap((bytes) => findCanaries(bytes, all)))];
      // Its metadata carries the token, as it must.
      const allowed = (name: string) => channel === "gRPC" && (uploads.has(name) || name === "GRPC token");
      return [channel, names.filter((name) => !allowed(name)).sort()];
    }),
  );
}

async function confirmed(sessions: number): Promise<void> {
  await eventuallyHolds(() => {
    const told = (channels.get("service log") ?? []).filter((line) => line.includes("Hub has the session's answer")).length;
    if (told < sessions) throw new Error(`Hub has ${told} of ${sessions} answers`);
  }, PATIENCE_MS);
}

/** Wrong calls to what listens. */
async function errorAnswers(port: number, grpcAddress: string): Promise<void> {
  if (connector === "REST") {
    const known = { Secret: secrets["plugin secret"], "Content-Type": "application/json" };
    for (const [method, path, headers, body] of [
      ["GET", "/heartbeat", { Secret: `${secrets["plugin secret"]}x` }, undefined],
      ["GET", `/?secret=${encodeURIComponent(secrets["plugin secret"])}`, known, undefined],
      ["POST", "/heartbeat", known, "{}"],
      ["POST", "/plugin", known, `{"apiKey": "${secrets["api key"]}"}`],
      ["POST", "/plugin", known, `not json ${secrets["api key"]}`],
      ["POST", "/plugin", known, "x".repeat(2 ** 21)],
    ] as const) {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers, ...(body === undefined ? {} : { body }) });
      see("HTTP errors", await answer.text(), JSON.stringify([...answer.headers]));
    }
  }
  const stranger = connectGateway(grpcAddress, "another token");
  await stranger
    .getContext({ run: "x" })
    .catch((error: Error) => see("gRPC errors", `${error.message} ${error.stack} ${String(error.cause)}`));
  stranger.close();
  const friend = connectGateway(grpcAddress, secrets["GRPC token"]);
  await friend.getContext({ run: "x" }).catch((error: Error) => see("gRPC errors", `${error.message} ${String(error.cause)}`));
  friend.close();
}

/** A TCP proxy that sees every byte in both directions. */
async function tapped(target: () => string): Promise<{ readonly address: string; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer((incoming) => {
    const [host, port] = target().split(":");
    const outgoing = connect(Number(port), host);
    for (const [socket, other] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      sockets.add(socket);
      socket.on("data", (bytes) => see("gRPC", bytes));
      socket.on("error", () => socket.destroy());
      socket.on("close", () => other.destroy());
      socket.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    address: `127.0.0.1:${typeof address === "object" && address ? address.port : 0}`,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

await watchedRun();
process.stdout.write(`${JSON.stringify(found())}\n`);
