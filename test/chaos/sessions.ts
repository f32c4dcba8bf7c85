/** Users who press Run again and again, each in a project of their own, and look at every archive they get. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { HubSimulator } from "../hub-simulator/server.js";
import type { SessionHandle } from "../hub-simulator/sessions.js";
import { readArchiveBytes } from "../support/archive.js";
import type { ChaosProject } from "./exports.js";

/** A project, the Hub that has it, and its archive's hash as nobody disturbed it. */
export interface Lane {
  readonly hub: HubSimulator;
  readonly project: ChaosProject;
  archive: string | undefined;
}

export interface Finished {
  readonly handle: SessionHandle;
  readonly lane: Lane;
  readonly ms: number;
  /** How often the user had to press: what reaches a gateway that dies before it has stored it is lost, for Hub's socket never sends it again. */
  readonly presses: number;
}

/** Nothing of a session that was taken is heard for so long: its gateway has died. */
const UNHEARD_MS = 3_000;
const POLL_MS = 20;

/** One session, from Run to an archive that is right. `longestMs`: then it counts as never answered. */
export async function runSession(lane: Lane, longestMs: number): Promise<Finished> {
  const since = performance.now();
  const { hub, project } = lane;
  let handle: SessionHandle | undefined;
  let presses = 0;
  let pressedAt = since;
  const isOpen = () => handle === undefined || handle.results.length === 0;
  for (; isOpen(); await sleep(POLL_MS)) {
    const now = performance.now();
    if (now - since > longestMs) throw new Error(`a session was not answered in ${Math.round(longestMs / 1000)} s; ${toldIn(handle)}`);
    const isUnheard = handle === undefined || (handle.logs.length === 0 && now - pressedAt > UNHEARD_MS);
    if (!isUnheard) continue;
    handle = (await press(hub, project, handle?.session)) ?? handle;
    presses += 1;
    pressedAt = performance.now();
  }
  assert.ok(handle);
  const ms = performance.now() - since;
  await checkArchive(lane, handle);
  return { handle, lane, ms, presses };
}

/** Undefined: no gateway was connected. */
async function press(hub: HubSimulator, { project }: ChaosProject, session: string | undefined): Promise<SessionHandle | undefined> {
  const again = session === undefined ? {} : { session };
  return hub.run({ projectId: project._id, stage: [], configJSON: '{"verbose_frequency": 250}', ...again }).catch(() => undefined);
}

async function checkArchive(lane: Lane, handle: SessionHandle): Promise<void> {
  assert.equal(handle.results[0]?.export, true, `a session ended with an error; ${toldIn(handle)}`);
  const bytes = await handle.download();
  const hash = createHash("sha256").update(bytes).digest("hex");
  if (lane.archive === undefined) await checkEveryAsset(lane.project, bytes);
  lane.archive ??= hash;
  assert.equal(hash, lane.archive, `the archive of session ${handle.session} differs from the undisturbed one`);
}

/** Every asset exactly once: all others are compared with this archive byte for byte. */
async function checkEveryAsset({ rows, masks }: ChaosProject, bytes: Buffer): Promise<void> {
  const archive = await readArchiveBytes(bytes);
  const pngs = [...archive.keys()].filter((name) => name.endsWith(".png"));
  assert.equal(pngs.length, masks, "a mask for every asset that is neither skipped nor rejected");
  const lines = String(archive.get("manifest.ndjson")).trimEnd().split("\n");
  const indexes = lines.map((line) => (JSON.parse(line) as { readonly index: number }).index);
  assert.deepEqual(indexes, [...rows.keys()], "every asset of the export stands in the manifest exactly once");
}

/** Every session was answered, and every repeat says the same. */
export function checkAnswers(finished: readonly Finished[]): void {
  for (const { handle } of finished) {
    for (const repeated of handle.results) assert.deepEqual(repeated, handle.results[0], "a repeated answer is the same");
  }
}

function toldIn(handle: SessionHandle | undefined): string {
  return handle ? `its user read:\n${handle.logs.map(({ level, msg }) => `${level} ${msg}`).join("\n")}` : "no gateway took it";
}
