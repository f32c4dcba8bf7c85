/** What a user reads in the session's console: pure texts, in a user's words, never with a URL or a key. */
import type { OutcomeCounts } from "../../proto/gen/maskline/v1/gateway.js";
import type { RunContext } from "../../proto/gen/maskline/v1/run.js";
import { DROPPED_KINDS, REJECT_CODES, SKIP_RULES } from "../../proto/outcomes.js";
import type { LogLevel } from "./hub.js";
import { listed, shortened } from "./user-words.js";

export interface UserLine {
  readonly level: LogLevel;
  readonly message: string;
}

/** Names come from the export: many of them may not flood the console. */
const MAX_NAMES = 12;

const integerFormat = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** `1 asset`, `12,345 assets`. */
function count(number: number, noun: string): string {
  return `${integerFormat.format(number)} ${number === 1 ? noun : plural(noun)}`;
}

function plural(noun: string): string {
  return /(?:s|x|z|ch|sh)$/.test(noun) ? `${noun}es` : `${noun}s`;
}

/** `1 min 4 s`, `14 s`, `2 h 5 min`. */
function time(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** The session runs: how many assets, with which classes and settings. */
export function acceptedText(total: number, context: RunContext): string {
  const { settings, classes } = context;
  const parts = [count(total, "asset"), plainClasses(classes.length), settings?.classMappingType ?? ""];
  if (settings) {
    const taken = settings.exportReviewedAssets
      ? settings.exportLabeledAssets
        ? "reviewed and labeled assets"
        : "reviewed assets only"
      : "labeled but not reviewed assets only";
    parts.push(taken, settings.batchNames.length > 0 ? `batches ${listed(settings.batchNames, MAX_NAMES, shortened)}` : "all batches");
    if (settings.includeKeyFramesOnly) parts.push("key frames only");
  }
  return `Session accepted: ${parts.filter((part) => part !== "").join(", ")}.`;
}

function plainClasses(number: number): string {
  return number === 1 ? "1 class" : `${integerFormat.format(number)} classes`;
}

/** The session waits for its turn. */
export function waitingForTurnText(maxSessions: number): string {
  return `Waiting: ${count(maxSessions, "session")} ${maxSessions === 1 ? "is" : "are"} running already, as many as this installation allows. This one starts when one of them ends.`;
}

export const READING_EXPORT_TEXT = "Reading the project and its export.";

/** The line with what finds the session in the installation's traces; as it is when the session is not traced. */
export function withTraceId(text: string, traceId: string | undefined): string {
  return traceId === undefined ? text : `${text} (trace ${traceId})`;
}

/** @param reason a sentence that says what does not work, without secrets */
export function waitingForHubText(reason: string): string {
  return `${reason} Trying again; the session goes on by itself as soon as it works.`;
}

export const WAITING_FOR_PACKAGER_TEXT =
  "Waiting for a packager: none is connected to the gateway now. The session goes on by itself as soon as there is one.";

export interface Pace {
  readonly accounted: number;
  readonly total: number;
  /** Assets a second; 0 while unknown. */
  readonly perSecond: number;
}

/** `4,000 of 12,345 (32 %), 870/s, about 10 s left`. */
export function progressText({ accounted, total, perSecond }: Pace): string {
  const percent = total === 0 ? 100 : Math.floor((accounted / total) * 100);
  const done = `${integerFormat.format(accounted)} of ${integerFormat.format(total)} (${percent} %)`;
  if (perSecond <= 0 || accounted >= total) return done;
  const rate = perSecond >= 10 ? integerFormat.format(perSecond) : perSecond.toFixed(1);
  return `${done}, ${rate}/s, about ${time(Math.ceil((total - accounted) / perSecond))} left`;
}

/**
 * The end of a session that has an archive; a WARNING when assets are missing from it that the user did not leave out. Tools that are never
 * painted are told, but they are in most projects.
 */
export function finishedLine(counts: OutcomeCounts | undefined, seconds: number, volumes = 0): UserLine {
  const skipped = entries(counts?.skipped).map(([rule, number]) => `${integerFormat.format(number)} (${explain(SKIP_RULES, rule)})`);
  const rejected = entries(counts?.rejected).map(([code, number]) => `${integerFormat.format(number)} (${explain(REJECT_CODES, code)})`);
  const dropped = entries(counts?.dropped).map(([kind, number]) => droppedObjects(kind, number));
  const total = [counts?.skipped, counts?.rejected].reduce((sum, left) => sum + totalOf(left), counts?.maskedAssets ?? 0);
  const spent = seconds < 10 ? `${Math.max(0.1, seconds).toFixed(1)} s` : time(seconds);
  const sentences = [
    `Done in ${spent}: ${count(counts?.masks ?? 0, "mask")} for ${integerFormat.format(counts?.maskedAssets ?? 0)} of ${count(total, "asset")}.`,
    ...(skipped.length > 0 ? [`Left out by the settings: ${listed(skipped, MAX_NAMES)}.`] : []),
    ...(rejected.length > 0 ? [`Rejected: ${listed(rejected, MAX_NAMES)}.`] : []),
    ...(dropped.length > 0 ? [`Not painted: ${listed(dropped, MAX_NAMES)}.`] : []),
    ...(rejected.length + dropped.length > 0 ? ["The manifest in the archive names each."] : []),
    ...(volumes > 0 ? [`The masks are too large for one file: volumes.json in the archive links the ${count(volumes, "volume")}.`] : []),
  ];
  return { level: rejected.length > 0 ? "WARNING" : "INFO", message: sentences.join(" ") };
}

function totalOf(counts: Readonly<Record<string, number>> | undefined): number {
  return Object.values(counts ?? {}).reduce((sum, number) => sum + number, 0);
}

/** Most frequent first. */
function entries(counts: Readonly<Record<string, number>> | undefined): [string, number][] {
  return Object.entries(counts ?? {})
    .filter(([, number]) => number > 0)
    .sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
}

function explain(texts: Readonly<Record<string, string>>, key: string): string {
  return texts[key] ?? shortened(key);
}

const DROPPED_NOUNS: Readonly<Record<string, readonly [one: string, many: string]>> = {
  [DROPPED_KINDS.noPoints]: ["object without points", "objects without points"],
  [DROPPED_KINDS.unknownClass]: ["object of an unknown class", "objects of an unknown class"],
  [DROPPED_KINDS.noGeometry]: ["object without a geometry", "objects without a geometry"],
};

function droppedObjects(kind: string, number: number): string {
  const noun = shortened(kind).replaceAll("-", " ");
  const [one, many] = DROPPED_NOUNS[kind] ?? [noun, plural(noun)];
  return `${integerFormat.format(number)} ${number === 1 ? one : many}`;
}

/** Of a name that somebody gave. */
const MAX_OPERATOR_CHARACTERS = 80;

/** An operator ended the session. `progress` is undefined before the export was read. */
export function cancelledText(by: string, progress: { readonly done: number; readonly total: number } | undefined): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is replaced
  const plain = by.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]+/g, " ").trim();
  const name = [...plain].slice(0, MAX_OPERATOR_CHARACTERS).join("") || "somebody";
  const far = progress
    ? `${integerFormat.format(progress.done)} of ${count(progress.total, "asset")} were done`
    : "its export had not been read yet";
  return `Cancelled by ${name}, who runs this plugin: ${far}, and no archive was made. Press Run to export again.`;
}

/** A session that can not be run: everything that is wrong, at once. */
export function problemsText(problems: readonly string[]): string {
  if (problems.length === 1) return `The export can not run: ${problems[0]}`;
  return `The export can not run, for ${problems.length} reasons:\n${problems.map((problem) => `- ${problem}`).join("\n")}`;
}
