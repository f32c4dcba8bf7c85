/** What kafkajs and Node say of it, and what becomes of that. */
import { sep } from "node:path";
import type { Logger } from "../../log.js";

/** Of what kafkajs attaches to a line, this much tells something, and nothing of it is secret. */
const FIELDS = ["broker", "groupId", "memberId", "topic", "partition", "error", "retryCount"] as const;

export interface KafkajsLine {
  readonly namespace: string;
  readonly log: { readonly message: string; readonly [name: string]: unknown };
}

/** Its failures reach us as errors, and are told once, by whoever knows what they mean: what it logs is a detail. */
export function tellDetail(log: Logger, { namespace, log: line }: KafkajsLine): void {
  const told = FIELDS.filter((name) => line[name] !== undefined).map((name) => [name, asText(line[name])]);
  log.debug(Object.fromEntries(told), `kafkajs ${namespace}: ${line.message}`);
}

function asText(value: unknown): unknown {
  return value instanceof Error ? value.message : value;
}

const KAFKAJS_FOLDER = `${sep}kafkajs${sep}src${sep}`;
let isDropped = false;

/** kafkajs sets a timer that lies in the past, which newer Nodes warn of at every connect. It is set to 1 ms then, as ever. */
export function dropKnownWarning(): void {
  if (isDropped) return;
  isDropped = true;
  const emitWarning = process.emitWarning.bind(process);
  process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
    if (rest[0] === "TimeoutNegativeWarning" && new Error().stack?.includes(KAFKAJS_FOLDER)) return;
    Reflect.apply(emitWarning, process, [warning, ...rest]);
  };
}
