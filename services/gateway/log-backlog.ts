/** Log records that wait because Hub is away. Bounded: of each session the newest are kept, and the gap is told. Pure. */
import type { LogRecord } from "./log-record.js";

interface Waiting {
  readonly records: LogRecord[];
  dropped: number;
}

export class LogBacklog {
  readonly #sessions = new Map<string, Waiting>();

  /** @param keep so many records of each session */
  constructor(readonly keep: number) {}

  push(record: LogRecord): void {
    const waiting = this.#sessions.get(record.session) ?? { records: [], dropped: 0 };
    this.#sessions.set(record.session, waiting);
    waiting.records.push(record);
    if (waiting.records.length <= this.keep) return;
    waiting.records.shift();
    waiting.dropped += 1;
  }

  /** Takes out everything, a session's records in order, after a line that says how many are missing. */
  takeAll(): LogRecord[] {
    const taken = [...this.#sessions.values()].flatMap(({ records, dropped }) => [...gapLine(records[0], dropped), ...records]);
    this.#sessions.clear();
    return taken;
  }
}

function gapLine(first: LogRecord | undefined, dropped: number): LogRecord[] {
  if (first === undefined || dropped === 0) return [];
  const lines = dropped === 1 ? "1 earlier line was" : `${dropped} earlier lines were`;
  return [{ ...first, level: "WARNING", msg: `${lines} left out, because Hub could not be reached in the meantime.` }];
}
