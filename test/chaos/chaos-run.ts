/** One chaotic run: sessions undisturbed first, then the same again under the blows of a plan. */
import { setTimeout as sleep } from "node:timers/promises";
import type { ChaosBrokerKind } from "./brokers.js";
import type { Counts } from "./figures.js";
import { MEMBERS, type Role } from "./fleet.js";
import { type Blow, type BlowKind, GAP, planBlows } from "./plan.js";
import { type Load, runSessions, type Stage, startStage } from "./stage.js";

export interface ChaosOptions {
  readonly kind: ChaosBrokerKind;
  readonly seed: number;
  /** How long blows fall. Sessions that are open then are ended. */
  readonly durationMs: number;
  /** Assets at least, in all sessions under chaos together. */
  readonly leastAssets: number;
  readonly lanes: number;
  /** Of each session. */
  readonly assets: number;
  readonly once: readonly Exclude<BlowKind, "kill">[];
  /** As the plan has it. */
  readonly mostGap?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Told what happens. */
  readonly say?: (line: string) => void;
}

export interface Kills {
  readonly all: number;
  /** Of processes that held messages or sessions in that moment. */
  readonly unfinished: number;
}

export interface ChaosResult extends Counts {
  readonly seed: number;
  readonly blows: number;
  readonly kills: Readonly<Record<Role, Kills>>;
  readonly brokerKills: number;
  readonly volumesLost: number;
  readonly messagesLost: number;
  readonly undisturbed: Load;
  readonly disturbed: Load;
  /** Answers that Hub got more than once. */
  readonly repeatedAnswers: number;
  readonly presses: number;
}

/** Nobody waits so long for an answer: everything that was broken is mended after some takeover times. */
const LONGEST_SESSION_MS = 180_000;
const WORK_WAIT_MS = 1_500;
const BACKLOG_WAIT_MS = 10_000;
const POLL_MS = 50;

/** @throws AssertionError or Error when a session is not answered, or answered wrong, or a process ended by itself. */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { kind, seed, durationMs, leastAssets, lanes, assets, once, mostGap = GAP.most, env = {}, say = () => undefined } = options;
  const plan = planBlows({ seed, members: MEMBERS, takeoverMs: kind.takeoverMs, durationMs, once, mostGap });
  const stage = await startStage({ kind, lanes, assets, env });
  try {
    const undisturbed = await runSessions(stage, LONGEST_SESSION_MS, () => false);
    say(`undisturbed: ${undisturbed.assets} assets in ${(undisturbed.ms / 1000).toFixed(1)} s`);
    const tally = createTally();
    let isOver = false;
    const done = { assets: 0 };
    const failed = new AbortController();
    const blows = letFall(plan, kind, stage, tally, failed.signal, say).finally(() => {
      isOver = true;
    });
    const load = runSessions(stage, LONGEST_SESSION_MS, () => {
      done.assets += assets;
      return !isOver || done.assets + (lanes - 1) * assets < leastAssets;
    });
    const [disturbed] = await Promise.all([load, blows]).catch(async (error: unknown) => {
      failed.abort(error);
      await blows.catch(() => undefined);
      throw error;
    });
    if (stage.fleet.crashes.length > 0) throw new Error(`processes ended by themselves:\n${stage.fleet.crashes.join("\n")}`);
    const violations = stage.hubs.flatMap((hub) => hub.violations);
    if (violations.length > 0) throw new Error(`Hub's protocol was violated: ${violations.join("; ")}`);
    return {
      ...{ seed, undisturbed, disturbed, blows: plan.length },
      ...stage.fleet.counts(),
      ...tally.result(),
      repeatedAnswers: disturbed.finished.reduce((sum, { handle }) => sum + handle.results.length - 1, 0),
      presses: disturbed.finished.reduce((sum, { presses }) => sum + presses, 0),
    };
  } finally {
    await stage.close();
  }
}

function createTally() {
  const none = () => ({ all: 0, unfinished: 0 });
  const kills = { gateway: none(), filter: none(), rasterizer: none(), packager: none() };
  const others = { brokerKills: 0, volumesLost: 0, messagesLost: 0 };
  return {
    others,
    killed(role: Role, unfinished: number): void {
      kills[role].all += 1;
      if (unfinished > 0) kills[role].unfinished += 1;
    },
    result: () => ({ kills, ...others }),
  };
}
type Tally = ReturnType<typeof createTally>;

async function letFall(
  plan: readonly Blow[],
  kind: ChaosBrokerKind,
  stage: Stage,
  tally: Tally,
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<void> {
  const begin = performance.now();
  let earliest = begin;
  for (const blow of plan) {
    // One that took longer than planned puts off all others.
    await sleep(Math.max(0, begin + blow.atMs - performance.now(), earliest - performance.now()), undefined, { signal });
    earliest = performance.now() + kind.takeoverMs * GAP.least;
    const at = ((performance.now() - begin) / 1000).toFixed(1);
    say(`${at.padStart(6)} s  ${await fall(blow, stage, tally, signal)}`);
  }
  await sleep(kind.takeoverMs, undefined, { signal });
}

/** What has happened, in words. */
async function fall(blow: Blow, stage: Stage, tally: Tally, signal: AbortSignal): Promise<string> {
  const { broker, fleet } = stage;
  const { kind, victims, downMs } = blow;
  if (kind === "broker") {
    await broker.kill();
    tally.others.brokerKills += 1;
    await sleep(downMs, undefined, { signal }).finally(() => broker.start());
    return `the broker, away for ${downMs} ms`;
  }
  const held = await Promise.all(victims.map((name) => fleet.kill(name, blow.waitsForWork ? WORK_WAIT_MS : 0)));
  victims.forEach((name, at) => {
    tally.killed(fleet.members[name] ?? "gateway", held[at] ?? 0);
  });
  const words = victims.map((name, at) => `${name} (held ${held[at]})`).join(", ");
  let lost = "";
  if (kind === "volume") {
    for (const name of victims) await fleet.wipe(name);
    tally.others.volumesLost += victims.length;
    lost = ", with its volume";
  }
  if (kind === "messages") {
    const messages = await loseMessages(stage);
    tally.others.messagesLost += messages;
    lost = `, and ${messages} messages that waited for them`;
  }
  await sleep(downMs, undefined, { signal });
  for (const name of victims) fleet.start(name);
  return `${words}${lost}, for ${downMs} ms`;
}

/** While nobody takes them they gather; then they are deleted. */
async function loseMessages({ broker }: Stage): Promise<number> {
  for (const end = performance.now() + BACKLOG_WAIT_MS; performance.now() < end; await sleep(POLL_MS)) {
    if ((await broker.waiting("raster")) > 0) break;
  }
  return broker.lose("raster");
}
