/** Mutated sessions, Config JSONs and projects: what a user types and Hub sends becomes a context, or words that say what is wrong. */
import assert from "node:assert/strict";
import { RunContext } from "../../proto/gen/maskline/v1/run.js";
import { prepareContext } from "../../services/filter/filter-context.js";
import type { Session } from "../../services/gateway/hub.js";
import { type Project, parseProject } from "../../services/gateway/project.js";
import { archiveName, buildRunContext } from "../../services/gateway/run-context.js";
import { BadPayload, parseSession } from "../../services/gateway/session-payload.js";
import { parseSettings } from "../../services/gateway/session-settings.js";
import { acceptedText, problemsText } from "../../services/gateway/user-log.js";
import { type Dice, dice } from "./dice.js";
import { mutateBytes, mutateJson } from "./mutate.js";
import { Ends, type Heartbeat, type Tally } from "./tally.js";

const KEY = "user-key-canary";
const MOST_WORDS = 20_000;

const PROJECT = {
  _id: "0123456789abcdef01234567",
  name: "Street life",
  categorySchema: {
    tools: [
      { schemaId: "road", title: "Road", tool: "polygon", color: "#804080" },
      { schemaId: "car", title: "Car", tool: "segmentation", color: "#00008e" },
      { schemaId: "box", title: "Box", tool: "bounding-box", color: "#ffffff" },
    ],
  },
  stages: [
    { id: "Start", name: "Start", type: "Start", next: ["l"] },
    { id: "l", name: "Labeling", type: "Label", next: [] },
  ],
  batches: [
    { _id: "b1", name: "north" },
    { _id: "b2", name: "south" },
  ],
};

/** Tries mutants `from` to `end` of the seed. @throws Error that names the first mutant that breaks a promise. */
export async function fuzzConfigs(seed: number, from: number, end: number, beat: Heartbeat): Promise<Tally> {
  const ends = new Ends();
  for (let number = from; number < end; number++) {
    beat(number);
    const startedAt = performance.now();
    try {
      ends.add(tryConfig(dice(seed, "configs", number)));
    } catch (cause) {
      throw new Error(`mutant configs/${number} of seed ${seed}`, { cause });
    }
    ends.took(number, performance.now() - startedAt);
  }
  return ends.tally();
}

function mutated(value: unknown, random: Dice, probability: number): unknown {
  let changed = structuredClone(value);
  if (random.chance(probability)) for (let times = random.between(1, 3); times > 0; times--) changed = mutateJson(changed, random);
  return changed;
}

function configText(random: Dice): unknown {
  const config = {
    class_mapping_type: random.pick(["single_channel_sequential", "project_colors", "multi_channel_cityscapes", "odd"]),
    export_reviewed_assets: random.chance(0.9),
    export_labeled_assets: random.chance(0.9),
    batch_names: random.pick<unknown>([[], null, ["north"], ["south", "north"], ["west"]]),
    verbose: true,
    verbose_frequency: random.pick([1, 1000, 0]),
    include_key_frames_only: false,
  };
  const text = JSON.stringify(mutated(config, random, 0.5)) ?? "";
  if (random.chance(0.2)) return mutateBytes(Buffer.from(text), random).toString("utf8");
  return random.chance(0.1) ? random.pick<unknown>(["", "null", '""', "[]", "{", undefined, null, 7, ["x"]]) : text;
}

/** How far it came. */
function tryConfig(random: Dice): string {
  const payload = {
    session: random.pick(["S1", "a/b c", "ü".repeat(300)]),
    projectId: "0123456789abcdef01234567",
    apiKey: KEY,
    orgId: "O",
    runBy: "U",
    configJSON: configText(random),
    stage: random.pick<unknown>([undefined, null, [], ["Complete"]]),
    batches: [],
  };
  const session = sessionOf(mutated(payload, random, 0.2));
  if (!session) return "session refused";
  const parsed = parseSettings(session.configJson);
  if ("problems" in parsed) return refused("config", parsed.problems);
  const project = projectOf(mutated({ status: "success", data: { project: PROJECT } }, random, 0.4));
  if (!project) return "project refused";
  const name = archiveName(project.name, session.session);
  assert.match(name, /^masks-[A-Za-z0-9._-]+\.zip$/);
  const built = buildRunContext({ run: "R", session, settings: parsed.settings, project, archiveName: name });
  if ("problems" in built) return refused("context", built.problems);
  for (const warning of [...parsed.warnings, ...built.warnings]) checkWords(warning);
  const context = RunContext.decode(RunContext.encode(built.context).finish());
  checkWords(acceptedText(7, context));
  prepareContext(context);
  return "accepted";
}

function sessionOf(payload: unknown): Session | undefined {
  try {
    return parseSession(payload);
  } catch (error) {
    if (!(error instanceof BadPayload)) throw error;
    checkWords(error.message);
    return undefined;
  }
}

/** Of projects every error is one in words; none may quote the body, for old ones hold a key. */
function projectOf(reply: unknown): Project | undefined {
  try {
    return parseProject(reply);
  } catch (error) {
    if (!(error instanceof Error) || error.constructor !== Error) throw error;
    checkWords(error.message);
    return undefined;
  }
}

function refused(what: string, problems: readonly string[]): string {
  assert.ok(problems.length > 0);
  checkWords(problemsText(problems));
  return `${what} refused`;
}

function checkWords(words: string): void {
  assert.ok(words.length > 0 && words.length <= MOST_WORDS, `${words.length} characters for a user`);
  assert.ok(!words.includes(KEY), "the key is told");
}
