/**
 * What goes out over the socket: logs at best, answers surely (docs/delivery.md rule 8), and the errors that explain them with them.
 *
 * Hub acknowledges nothing, so an answer counts as read when the connection proves it. The first ping after it may have crossed it
 * on the way; Hub sends the second one only when it has read our reply to the first, which lies behind the answer in the same stream. A
 * connection that is lost before has proved nothing: the answer goes out again on the next one, the same bytes.
 */
import { Retry } from "../runtime/errors.js";
import type { Answer } from "./hub.js";
import { LogBacklog } from "./log-backlog.js";
import type { LogRecord } from "./log-record.js";

export interface Line {
  log(record: LogRecord): void;
  response(answer: Answer): void;
}

/** A line without which an answer could not be understood. */
interface Explanation {
  readonly record: LogRecord;
  pings: number;
}

interface Unconfirmed {
  readonly answer: Answer;
  /** Pings of the present connection since it was sent there. */
  pings: number;
  readonly confirm: () => void;
  readonly fail: (reason: unknown) => void;
}

const PINGS_THAT_PROVE = 2;
const KEPT_LOGS = 200;
/** Errors that no ping has proved yet: more than ever end within two pings. */
const KEPT_ERRORS = 1_000;

export class Outbox {
  readonly #backlog = new LogBacklog(KEPT_LOGS);
  readonly #unconfirmed = new Set<Unconfirmed>();
  #explanations: Explanation[] = [];
  #line: Line | undefined;

  log(record: LogRecord): void {
    if (this.#line) this.#send(this.#line, record);
    else this.#backlog.push(record);
  }

  #send(line: Line, record: LogRecord): void {
    line.log(record);
    if (record.level !== "ERROR") return;
    this.#explanations.push({ record, pings: 0 });
    if (this.#explanations.length > KEPT_ERRORS) this.#explanations.shift();
  }

  /** Resolves when the answer is confirmed; rejects with the signal's reason, or with Retry when the outbox closes before. */
  answer(answer: Answer, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const settle = (settled: () => void) => () => {
        this.#unconfirmed.delete(entry);
        signal.removeEventListener("abort", aborted);
        settled();
      };
      const aborted = settle(() => reject(signal.reason));
      const entry: Unconfirmed = { answer, pings: 0, confirm: settle(resolve), fail: (reason) => settle(() => reject(reason))() };
      signal.addEventListener("abort", aborted, { once: true });
      this.#unconfirmed.add(entry);
      this.#line?.response(answer);
    });
  }

  /** A new connection: what waited goes out, the logs first. */
  connected(line: Line): void {
    this.#line = line;
    const again = this.#explanations.map(({ record }) => record);
    this.#explanations = [];
    for (const record of [...again, ...this.#backlog.takeAll()]) this.#send(line, record);
    for (const entry of this.#unconfirmed) {
      entry.pings = 0;
      line.response(entry.answer);
    }
  }

  lost(): void {
    this.#line = undefined;
  }

  /** Hub's ping arrived on the present connection. */
  pinged(): void {
    for (const explanation of this.#explanations) explanation.pings += 1;
    this.#explanations = this.#explanations.filter(({ pings }) => pings < PINGS_THAT_PROVE);
    for (const entry of this.#unconfirmed) {
      entry.pings += 1;
      if (entry.pings >= PINGS_THAT_PROVE) entry.confirm();
    }
  }

  close(): void {
    this.#line = undefined;
    const reason = new Retry("the gateway stopped before Hub was known to have read the answer; it is sent again after the next start");
    for (const entry of [...this.#unconfirmed]) entry.fail(reason);
  }
}
