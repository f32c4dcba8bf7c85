/** A Hub end that lives in the test: it hands over one export, and remembers what it is told. */
import { writeFile } from "node:fs/promises";
import type { Answer, HubEnd, LogLevel } from "../../services/gateway/hub.js";
import type { Project } from "../../services/gateway/project.js";

export const project: Project = {
  id: "P1",
  name: "Street life",
  tools: [
    { schemaId: "s1", title: "Car", tool: "polygon", color: "#ff0000" },
    { schemaId: "s2", title: "Tree", tool: "segmentation", color: "#00ff00" },
  ],
  stages: [{ id: "Complete", name: "Complete", type: "Complete" }],
  batches: [{ id: "b1", name: "One" }],
};

type Step = "project" | "fetchExport" | "uploadTarget" | "answer";

export interface FakeHub extends HubEnd {
  readonly logs: { readonly session: string; readonly level: LogLevel; readonly message: string }[];
  readonly answers: Answer[];
  /** How often each step was called. */
  readonly calls: Record<Step, number>;
  /** Thrown by a step as long as it is here. */
  readonly failures: Partial<Record<Step, Error>>;
  /** Answers are not confirmed while this is true. */
  holdAnswers: boolean;
  /** Payloads that arrive in the last moment, while Hub's end closes. */
  readonly lastPayloads: unknown[];
  /** As Hub sends a session. */
  deliver(payload: unknown): Promise<void>;
}

/** @param rows the export: one JSON text a row. */
export function createFakeHub(rows: readonly string[]): FakeHub {
  let accept: (payload: unknown) => Promise<void> = () => Promise.reject(new Error("the hub is not started"));
  let targets = 0;
  const step = (name: Step) => {
    hub.calls[name] += 1;
    const failure = hub.failures[name];
    if (failure) throw failure;
  };
  const hub: FakeHub = {
    logs: [],
    answers: [],
    calls: { project: 0, fetchExport: 0, uploadTarget: 0, answer: 0 },
    failures: {},
    holdAnswers: false,
    lastPayloads: [],
    deliver: (payload) => accept(payload),
    async start(handler) {
      accept = handler;
    },
    connected: () => true,
    async project() {
      step("project");
      return project;
    },
    async fetchExport(_session, _options, file) {
      step("fetchExport");
      await writeFile(file, rows.length === 0 ? "[]" : rows.map((row) => `${row}\n`).join(""));
    },
    async uploadTarget(_session, name) {
      step("uploadTarget");
      targets += 1;
      return { uploadUrl: `https://bucket.test/${name}?put=${targets}`, signedUrl: `https://bucket.test/${name}?get=${targets}` };
    },
    log: ({ session }, level, message) => void hub.logs.push({ session, level, message }),
    progress: () => undefined,
    summary: () => undefined,
    async answer(_session, answer, signal) {
      step("answer");
      hub.answers.push(answer);
      if (hub.holdAnswers) await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    },
    async stop() {
      for (const payload of hub.lastPayloads) await accept(payload);
      accept = () => Promise.reject(new Error("the hub is stopped"));
    },
  };
  return hub;
}

/** A payload as Hub sends it. */
export function sessionPayload(session: string, config: object = {}): object {
  return { session, projectId: "P1", apiKey: "user-key-12345", orgId: "O", runBy: "U", configJSON: JSON.stringify(config), batches: [] };
}
