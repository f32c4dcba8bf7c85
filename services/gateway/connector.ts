import type { Answer, Session } from "./hub.js";
import type { LogRecord } from "./log-record.js";

/** How sessions come in and their logs and answers go out: over the WebSocket (hub-socket.ts) or HTTP (hub-server.ts). */
export interface Connector {
  /** Begins to connect, or listens. Hub being away is no error. */
  start(accept: (payload: unknown) => Promise<void>): Promise<void>;
  /** Whether Hub can reach us now. */
  connected(): boolean;
  /** Best effort, in order, never throws. */
  log(session: Session, record: LogRecord): void;
  /** Resolves when Hub is known to have the answer. */
  answer(session: Session, answer: Answer, signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}
