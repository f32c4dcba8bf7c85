/**
 * Every metric that Maskline has, declared once: docs/telemetry.md, the alerts and the dashboard name them, and a test holds all three to
 * this file. Names and units follow OpenTelemetry's semantic conventions where these have one. Attributes have few values: never a run, a
 * session, an asset, or a text that a user chose.
 */
import { exposition } from "./exposition.js";
import { createRegistry } from "./registry.js";

const registry = createRegistry();

/** All of them, for whoever exports them. */
export const metrics = registry.metrics;

/** From a tenth of a millisecond to ten seconds: what one message takes. */
const MESSAGE_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** From a millisecond to an hour: what one stage of a session takes. */
const STAGE_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600];
/** From a second to twelve hours. */
const SESSION_SECONDS = [1, 5, 10, 30, 60, 300, 900, 1800, 3600, 7200, 21_600, 43_200];

const PER_QUEUE = ["messaging.system", "messaging.destination.template"] as const;
const PER_STAGE = ["maskline.stage"] as const;

// Messages, on every hop.

export const sentMessages = registry.counter({
  name: "messaging.client.sent.messages",
  unit: "{message}",
  help: "Messages published, by queue; with error.type those that the bus did not take.",
  attributes: [...PER_QUEUE, "error.type"],
});

export const consumedMessages = registry.counter({
  name: "messaging.client.consumed.messages",
  unit: "{message}",
  help: "Messages delivered, by queue; redelivered ones again.",
  attributes: PER_QUEUE,
});

export const publishDuration = registry.histogram({
  name: "messaging.client.operation.duration",
  unit: "s",
  help: "Time to publish one message: until the bus has it, so also the time that a full queue makes its producer wait.",
  attributes: PER_QUEUE,
  boundaries: MESSAGE_SECONDS,
});

export const processDuration = registry.histogram({
  name: "messaging.process.duration",
  unit: "s",
  help: "Time from the begin of work on one message to its acknowledgement; with error.type those that were handed back.",
  attributes: [...PER_QUEUE, "error.type"],
  boundaries: MESSAGE_SECONDS,
});

export const publishedBytes = registry.counter({
  name: "maskline.messages.sent.size",
  unit: "By",
  help: "Bytes of the bodies of published messages, by queue.",
  attributes: PER_QUEUE,
});

export const redeliveries = registry.counter({
  name: "maskline.messages.redelivered",
  unit: "{message}",
  help: "Messages delivered another time, by queue.",
  attributes: PER_QUEUE,
});

export const queueLag = registry.gauge({
  name: "maskline.queue.lag",
  unit: "{message}",
  help: "Messages of a queue that are not settled, those being worked on included, as its consumers see it.",
  attributes: PER_QUEUE,
});

export const heldMessages = registry.gauge({
  name: "maskline.messages.held",
  unit: "{message}",
  help: "Messages that this process holds unsettled, by queue.",
  attributes: PER_QUEUE,
  kind: "upDownCounter",
});

// Steps and stages.

export const stepFailures = registry.counter({
  name: "maskline.step.failures",
  unit: "{failure}",
  help: "Tries of a step that failed, by queue and kind: Retry waits for something outside, Reject sets the asset aside, others are tried again.",
  attributes: ["messaging.destination.template", "error.type"],
});

export const stageDuration = registry.histogram({
  name: "maskline.stage.duration",
  unit: "s",
  help: "Time of one stage: accept, project, export, freeze, paint, encode, spool, zip, upload_target, upload, answer.",
  attributes: [...PER_STAGE, "error.type"],
  boundaries: STAGE_SECONDS,
});

export const stageBytes = registry.counter({
  name: "maskline.stage.size",
  unit: "By",
  help: "Bytes that a stage has written or sent: export (text), spool, zip, upload.",
  attributes: PER_STAGE,
});

export const retries = registry.counter({
  name: "maskline.retries",
  unit: "{retry}",
  help: "Tries that were followed by another: hub (calls to Hub), upload (archives), message (handed back to the bus).",
  attributes: ["maskline.stage"],
});

// Assets, as the packager's ledger has them.

export const assets = registry.counter({
  name: "maskline.assets",
  unit: "{asset}",
  help: "Assets that became final: masked, skipped (by rule) or rejected (by code).",
  attributes: ["maskline.outcome", "maskline.reason"],
});

export const masks = registry.counter({
  name: "maskline.masks",
  unit: "{mask}",
  help: "Masks of final assets.",
  attributes: [],
});

export const droppedObjects = registry.counter({
  name: "maskline.objects.dropped",
  unit: "{object}",
  help: "Objects of final assets that were not painted.",
  attributes: [],
});

export const heldRuns = registry.gauge({
  name: "maskline.packager.runs",
  unit: "{run}",
  help: "Runs that the packager holds.",
  attributes: [],
  kind: "upDownCounter",
});

// Sessions, as the gateway has them.

export const sessionsAccepted = registry.counter({
  name: "maskline.sessions.accepted",
  unit: "{session}",
  help: "Sessions that Hub started, each once.",
  attributes: [],
});

export const sessionsEnded = registry.counter({
  name: "maskline.sessions.ended",
  unit: "{session}",
  help: "Sessions that ended: exported (with an archive) or failed.",
  attributes: ["maskline.outcome"],
});

export const sessionDuration = registry.histogram({
  name: "maskline.session.duration",
  unit: "s",
  help: "Time from accepting a session to deciding its answer.",
  attributes: ["maskline.outcome"],
  boundaries: SESSION_SECONDS,
});

export const openSessions = registry.gauge({
  name: "maskline.sessions.open",
  unit: "{session}",
  help: "Sessions that have not ended: accepted (waiting, or being read from Hub) or running.",
  attributes: ["maskline.state"],
  kind: "upDownCounter",
});

export const unconfirmedAnswers = registry.gauge({
  name: "maskline.answers.unconfirmed",
  unit: "{session}",
  help: "Sessions that ended and whose answer Hub is not known to have.",
  attributes: [],
  kind: "upDownCounter",
});

export const idleTime = registry.gauge({
  name: "maskline.session.idle.time",
  unit: "s",
  help: "How long the running session that has waited longest has made no progress; 0 when none runs.",
  attributes: [],
});

export const creditsInFlight = registry.gauge({
  name: "maskline.credits.in_flight",
  unit: "{asset}",
  help: "Assets of all sessions between publish and final outcome.",
  attributes: [],
  kind: "upDownCounter",
});

export const rounds = registry.counter({
  name: "maskline.rounds",
  unit: "{round}",
  help: "Rounds begun because a session made no progress: its missing assets are published again.",
  attributes: [],
});

export const epochs = registry.counter({
  name: "maskline.epochs",
  unit: "{epoch}",
  help: "Epochs begun because a packager was lost: its sessions are published again from the start. By what was lost: ledger, silence.",
  attributes: ["maskline.reason"],
});

// gRPC.

export const clientCalls = registry.histogram({
  name: "rpc.client.call.duration",
  unit: "s",
  help: "Time of a call to a gateway, by method and status.",
  attributes: ["rpc.system.name", "rpc.method", "rpc.response.status_code"],
  boundaries: STAGE_SECONDS,
});

export const serverCalls = registry.histogram({
  name: "rpc.server.call.duration",
  unit: "s",
  help: "Time of a call that the gateway answered, by method and status.",
  attributes: ["rpc.system.name", "rpc.method", "rpc.response.status_code"],
  boundaries: STAGE_SECONDS,
});

// The process.

export const memoryUsage = registry.gauge({
  name: "process.memory.usage",
  unit: "By",
  help: "Resident memory.",
  attributes: [],
  kind: "upDownCounter",
});

export const cpuTime = registry.gauge({
  name: "process.cpu.time",
  unit: "s",
  help: "Processor time of all threads, by mode: user, system.",
  attributes: ["cpu.mode"],
  kind: "counter",
});

export const uptime = registry.gauge({ name: "process.uptime", unit: "s", help: "Time since the process started.", attributes: [] });

export const heapUsed = registry.gauge({
  name: "maskline.heap.used",
  unit: "By",
  help: "Memory of the main thread's JavaScript heap in use.",
  attributes: [],
});

export const eventLoopMean = registry.gauge({
  name: "nodejs.eventloop.delay.mean",
  unit: "s",
  help: "Mean delay of the event loop since the last collection.",
  attributes: [],
});

export const eventLoopP99 = registry.gauge({
  name: "nodejs.eventloop.delay.p99",
  unit: "s",
  help: "99th percentile of the event loop's delay since the last collection.",
  attributes: [],
});

export const eventLoopMax = registry.gauge({
  name: "nodejs.eventloop.delay.max",
  unit: "s",
  help: "Longest delay of the event loop since the last collection.",
  attributes: [],
});

export const eventLoopUtilization = registry.gauge({
  name: "nodejs.eventloop.utilization",
  unit: "1",
  help: "Share of the time in which the event loop was busy, since the process started.",
  attributes: [],
});

export const diskUsage = registry.gauge({
  name: "system.filesystem.usage",
  unit: "By",
  help: "Bytes of the file system of DATA_DIR, by state: free (to this process), used.",
  attributes: ["system.filesystem.state"],
  kind: "upDownCounter",
});

export const diskLimit = registry.gauge({
  name: "system.filesystem.limit",
  unit: "By",
  help: "Bytes that the file system of DATA_DIR has.",
  attributes: [],
  kind: "upDownCounter",
});

/** All figures of this process as text for Prometheus. */
export async function metricsText(): Promise<string> {
  return exposition(await Promise.all(metrics().map((metric) => metric.collect())));
}
