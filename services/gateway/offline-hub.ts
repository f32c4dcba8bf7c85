/** The Hub end of `maskline convert`: one session, of an export file and perhaps the project's ontology; the archive goes to a file. */
import { randomUUID } from "node:crypto";
import { constants, copyFile, readFile, stat } from "node:fs/promises";
import { basename, dirname, extname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { isArchiveVolumeName } from "../../proto/archive-volume-name.js";
import type { OutcomeCounts } from "../../proto/gen/maskline/v1/gateway.js";
import { describeError } from "../runtime/errors.js";
import type { ExportLimits } from "./export-store.js";
import { type ExportSurvey, surveyExport } from "./export-survey.js";
import { type Answer, type HubEnd, HubFailure, type LogLevel } from "./hub.js";
import { asFields } from "./json-value.js";
import { type Project, parseProject } from "./project.js";

export interface OfflineHubOptions {
  /** `.json`, `.ndjson` or `.zip`, as Hub delivers it. */
  readonly exportFile: string;
  /** The project as `GET /v2/project/{id}` answers it, or its ontology alone. */
  readonly ontologyFile?: string | undefined;
  /** The Config JSON, as text. */
  readonly configText?: string | undefined;
  readonly outFile: string;
  /** Of the pass that looks for classes. */
  readonly limits: ExportLimits;
  readonly onLog: (level: LogLevel, message: string) => void;
  readonly onProgress: (done: number, total: number) => void;
  /** Told before the answer, when there is an archive. */
  readonly onSummary: (counts: OutcomeCounts | undefined) => void;
  readonly onAnswer: (answer: Answer) => void;
}

export function createOfflineHub(options: OfflineHubOptions): HubEnd {
  const { exportFile, ontologyFile, configText, outFile, limits, onLog, onProgress, onSummary, onAnswer } = options;
  const wishes = wishesOf(configText);
  let started = false;

  return {
    async start(accept) {
      started = true;
      // A session of its own each time: what ran before is never taken for it.
      const session = `convert-${randomUUID()}`;
      await accept({ session, projectId: "offline", apiKey: randomUUID(), configJSON: configText, stage: [], batches: [] });
    },
    connected: () => started,

    async project(_session, signal) {
      const given = ontologyFile === undefined ? nameOnly(exportFile) : await readOntology(ontologyFile);
      if (ontologyFile === undefined && wishes.projectColours) throw new HubFailure(NO_COLOURS);
      const needsBatches = wishes.batches && given.batches.length === 0;
      if (ontologyFile !== undefined && !needsBatches) return given;
      const survey = await readable(exportFile, () => surveyExport(exportFile, limits, signal));
      if (ontologyFile === undefined) onLog("INFO", classesFound(survey));
      return {
        ...given,
        tools: ontologyFile === undefined ? survey.tools : given.tools,
        batches: needsBatches ? survey.batches : given.batches,
      };
    },

    async fetchExport(_session, { keyFramesOnly, maxBytes }, file, signal) {
      if (keyFramesOnly) onLog("WARNING", "include_key_frames_only is an option of Hub's own export; the file is converted as it is.");
      const { size } = await readable(exportFile, () => stat(exportFile));
      if (size > maxBytes)
        throw new HubFailure(
          `${exportFile} has ${size} bytes; the limit is ${maxBytes} bytes. Convert fewer batches at a time, or raise the limit.`,
        );
      await readable(exportFile, () => copyFile(exportFile, file, constants.COPYFILE_FICLONE));
      signal.throwIfAborted();
    },

    /** The archive is the out file; its volumes lie beside it. */
    async uploadTarget(_session, archiveName) {
      const out = resolve(outFile);
      const path = isArchiveVolumeName(archiveName) ? join(dirname(out), basename(archiveName)) : out;
      const url = pathToFileURL(path).href;
      return { uploadUrl: url, signedUrl: url };
    },

    log: (_session, level, message) => onLog(level, message),
    progress: (_session, done, total) => onProgress(done, total),
    summary: (_session, counts) => onSummary(counts),
    answer: async (_session, answer) => onAnswer(answer),
    stop: async () => {},
  };
}

const NO_COLOURS =
  'class_mapping_type is "project_colors", but an export holds no colours: they stand in the project. Add --ontology project.json (what ' +
  "Hub answers to GET /v2/project/<id>), or choose another class_mapping_type.";

interface Wishes {
  readonly projectColours: boolean;
  readonly batches: boolean;
}

/** What the config asks of the project. A config that can not be read asks nothing: the session's own check says what is wrong with it. */
function wishesOf(configText: string | undefined): Wishes {
  try {
    const fields = asFields(JSON.parse(configText ?? "")) ?? {};
    return {
      projectColours: fields.class_mapping_type === "project_colors",
      batches: Array.isArray(fields.batch_names) && fields.batch_names.length > 0,
    };
  } catch {
    return { projectColours: false, batches: false };
  }
}

function nameOnly(exportFile: string): Project {
  return { id: "offline", name: basename(exportFile, extname(exportFile)), tools: [], stages: [], batches: [] };
}

async function readOntology(path: string): Promise<Project> {
  const text = await readable(path, () => readFile(path, "utf8"));
  try {
    return parseProject(JSON.parse(text.replace(/^\uFEFF/, "")));
  } catch (error) {
    throw new HubFailure(`The ontology in ${path} can not be understood: ${describeError(error)}`);
  }
}

/** A file that can not be read is the user's matter; everything else is not. */
async function readable<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (typeof code !== "string" || !["ENOENT", "EACCES", "EPERM", "EISDIR", "ENOTDIR"].includes(code)) throw error;
    throw new HubFailure(`${path} can not be read (${code}). Check the path and that it is a file.`);
  }
}

function classesFound({ tools }: ExportSurvey): string {
  const titles = [...new Set(tools.map(({ title }) => title))];
  if (titles.length === 0) return "No ontology was given, and the export holds no polygon and no segmentation to take classes from.";
  const named = titles.length === 1 ? "1 class" : `${titles.length} classes`;
  return `No ontology was given: ${named} found in the export, numbered by first appearance. With --ontology project.json they are numbered as in Hub.`;
}
