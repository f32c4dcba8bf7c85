/** A broker, a Hub for each gateway, and all roles as processes: what chaos and rolling restarts happen to. */
import { type HubSimulator, startHubSimulator } from "../hub-simulator/server.js";
import type { ChaosBroker, ChaosBrokerKind } from "./brokers.js";
import { chaosProjects } from "./exports.js";
import { type Fleet, MEMBERS, type Members, type Plugins, startFleet } from "./fleet.js";
import { checkAnswers, type Finished, type Lane, runSession } from "./sessions.js";

export interface StageOptions {
  readonly kind: ChaosBrokerKind;
  /** Sessions at once: one in each lane, on the plugins in turn. */
  readonly lanes: number;
  /** Of each session. */
  readonly assets: number;
  readonly members?: Members;
  /** Of all processes, beside what they need. */
  readonly env?: Readonly<Record<string, string>>;
  /** The services start while the broker is away, and are not waited for. */
  readonly withoutBroker?: boolean;
}

export interface Stage {
  readonly broker: ChaosBroker;
  readonly fleet: Fleet;
  readonly lanes: readonly Lane[];
  readonly hubs: readonly HubSimulator[];
  close(): Promise<void>;
}

export const READY_MS = 60_000;
/** Hub's images take their time, so that filters hold what waits for them. */
const IMAGE_MS = 25;

/** Starts everything, and waits until it is ready. */
export async function startStage(options: StageOptions): Promise<Stage> {
  const { kind, lanes, assets, members = MEMBERS, env = {}, withoutBroker = false } = options;
  const closing: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const end of closing.reverse()) await end();
  };
  try {
    const projects = await chaosProjects(lanes, assets);
    const hubs: HubSimulator[] = [];
    const plugins: Record<string, Plugins[string]> = {};
    for (const gateway of Object.keys(members).filter((name) => members[name] === "gateway")) {
      const identity = { pluginId: `plugin-of-${gateway}`, pluginSecret: `secret-of-${gateway}` };
      const onRequest = (request: string) =>
        new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), request === "image" ? IMAGE_MS : 0));
      const hub = await startHubSimulator({ projects, ...identity, apiKey: "api-key-canary", pingInterval: 200, faults: { onRequest } });
      closing.push(() => hub.close());
      hubs.push(hub);
      plugins[gateway] = { url: hub.url, ...identity };
    }
    const broker = await kind.start();
    closing.push(() => broker.close());
    if (withoutBroker) await broker.kill();
    const own = { FETCH_ALLOW: "127.0.0.0/8", HUB_LONGEST_PAUSE: "1s", STALL_TIMEOUT: `${stallMs(kind)}ms` };
    const fleet = await startFleet(members, plugins, { ...own, ...broker.env, ...env });
    closing.push(() => fleet.close());
    if (!withoutBroker) await fleet.ready(READY_MS);
    const laneOf = (at: number): Lane[] => {
      const hub = hubs[at % hubs.length];
      const project = projects[at];
      return hub && project ? [{ hub, project, archive: undefined }] : [];
    };
    return { broker, fleet, hubs, lanes: projects.flatMap((_, at) => laneOf(at)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Rounds are for what is lost. What a dead process held must have come back by itself long before. */
export function stallMs({ takeoverMs }: ChaosBrokerKind): number {
  return takeoverMs * 2.5;
}

export interface Load {
  readonly finished: readonly Finished[];
  readonly assets: number;
  readonly ms: number;
}

/** All lanes at once, each one session after another, as long as `goesOn` says so after it. Every answer and archive is checked. */
export async function runSessions({ lanes }: Stage, longestMs: number, goesOn: () => boolean): Promise<Load> {
  const since = performance.now();
  const finished: Finished[] = [];
  await Promise.all(
    lanes.map(async (lane) => {
      do finished.push(await runSession(lane, longestMs));
      while (goesOn());
    }),
  );
  checkAnswers(finished);
  return { finished, assets: finished.reduce((sum, { lane }) => sum + lane.project.rows.length, 0), ms: performance.now() - since };
}
