/** What is stored of a run, and reading it back from unknown bytes. Pure. */
import { z } from "zod";
import type { Answer, Session } from "./hub.js";

/** The export is stored and the context decided: the run's immutable truth (docs/delivery.md rule 2). */
export interface Frozen {
  /** Assets, that is rows of the stored export. */
  readonly total: number;
  readonly bytes: number;
  readonly archiveName: string;
  readonly verbose: boolean;
  readonly verboseFrequency: number;
}

/** Where the run is packed and how far it is published. */
export interface Pin {
  readonly packager: string;
  readonly ledgerId: string;
  /** From 1. */
  readonly epoch: number;
  /** From 0. */
  readonly round: number;
  /** Round 0: index behind the longest acknowledged prefix. Later rounds: the same, of the missing indexes. */
  readonly position: number;
  /** Rounds in a row that brought nothing. */
  readonly fruitless: number;
  /** The latest upload targets of this epoch, newest last. */
  readonly targets: readonly Target[];
}

export interface Target {
  readonly id: string;
  /** A secret to everyone but the user. */
  readonly signedUrl: string;
}

/** The one decision (docs/delivery.md rule 8). */
export interface End {
  readonly answer: Answer;
  /** What the user is told with it. */
  readonly lines: readonly { readonly level: "DEBUG" | "INFO" | "WARNING" | "ERROR"; readonly message: string }[];
  readonly at: number;
  /** When Hub had the answer; undefined: not yet. */
  readonly confirmedAt: number | undefined;
}

interface RunBase {
  /** ULID. */
  readonly run: string;
  readonly plugin: string;
  readonly session: Session;
  /** Milliseconds since 1970. */
  readonly acceptedAt: number;
}

export interface AcceptedRun extends RunBase {
  readonly state: "accepted";
}
export interface OpenRun extends RunBase {
  readonly state: "open";
  readonly frozen: Frozen;
  /** Undefined until there is a packager. */
  readonly pin: Pin | undefined;
}
export interface EndedRun extends RunBase {
  readonly state: "ended";
  /** Of the pin at the end; undefined when there was none. */
  readonly epoch: number | undefined;
  readonly end: End;
}
export type RunRecord = AcceptedRun | OpenRun | EndedRun;

const count = z.number().int().min(0);
const base = {
  run: z.string().min(1),
  plugin: z.string(),
  session: z
    .object({
      session: z.string(),
      projectId: z.string(),
      apiKey: z.string(),
      orgId: z.string(),
      runBy: z.string(),
      configJson: z.string().optional(),
      stage: z.array(z.string()).optional(),
      batches: z.array(z.string()),
      traceparent: z.string().optional(),
    })
    .transform(
      ({ traceparent, ...stored }): Session => ({
        ...stored,
        configJson: stored.configJson,
        stage: stored.stage,
        ...(traceparent === undefined ? {} : { traceparent }),
      }),
    ),
  acceptedAt: count,
};
const frozen = z.object({
  total: count,
  bytes: count,
  archiveName: z.string(),
  verbose: z.boolean(),
  verboseFrequency: count,
});
const pin = z.object({
  packager: z.string(),
  ledgerId: z.string(),
  epoch: count,
  round: count,
  position: count,
  fruitless: count,
  targets: z.array(z.object({ id: z.string(), signedUrl: z.string() })),
});
const end = z
  .object({
    answer: z.union([
      z.strictObject({ export: z.literal(true), response: z.string(), session: z.string() }),
      z.strictObject({ error: z.literal(true), session: z.string() }),
    ]),
    lines: z.array(z.object({ level: z.enum(["DEBUG", "INFO", "WARNING", "ERROR"]), message: z.string() })),
    at: count,
    confirmedAt: count.optional(),
  })
  .transform((stored): End => ({ ...stored, confirmedAt: stored.confirmedAt }));

const runRecord = z.discriminatedUnion("state", [
  z.object({ state: z.literal("accepted"), ...base }),
  z.object({ state: z.literal("open"), ...base, frozen, pin: pin.optional() }).transform((stored) => ({ ...stored, pin: stored.pin })),
  z
    .object({ state: z.literal("ended"), ...base, epoch: count.optional(), end })
    .transform((stored) => ({ ...stored, epoch: stored.epoch })),
]);

/** @throws Error when the bytes are no run record. */
export function parseRunRecord(bytes: Uint8Array): RunRecord {
  const parsed = runRecord.safeParse(JSON.parse(Buffer.from(bytes).toString("utf8")));
  if (!parsed.success) throw new Error(`it is no record of a run: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

export function encodeRunRecord(record: RunRecord): Buffer {
  return Buffer.from(JSON.stringify(record), "utf8");
}

/** Whether Hub is known to have the run's answer. */
export function isConfirmed(record: RunRecord): boolean {
  return record.state === "ended" && record.end.confirmedAt !== undefined;
}

/** Everything is in it that Hub may be answered with again; nothing else that belongs to the user (docs/delivery.md rule 9). */
export function forgetful(record: EndedRun, confirmedAt: number): EndedRun {
  const { session, projectId, orgId, runBy } = record.session;
  return {
    ...record,
    session: { session, projectId, orgId, runBy, apiKey: "", configJson: undefined, stage: undefined, batches: [] },
    end: { ...record.end, lines: [], confirmedAt },
  };
}
