/** The sessions that were run, with what plugins said about each. */
import type { LogRecord, PluginResult } from "./contract.js";

/** One session as the user who pressed Run sees it. */
export interface SessionHandle {
  readonly session: string;
  /** The console panel; grows while the session runs. */
  readonly logs: readonly LogRecord[];
  /** The first terminal result. Rejects when the simulator closes before. */
  readonly result: Promise<PluginResult>;
  /** Every terminal result, for a repeat after a cut is legitimate. */
  readonly results: readonly PluginResult[];
  /** The archive behind the result's URL. Waits for the result; rejects when that is an error or the object is not there. */
  download(): Promise<Buffer>;
}

interface SessionRecord {
  readonly handle: SessionHandle;
  readonly logs: LogRecord[];
  readonly results: PluginResult[];
  readonly settle: (result: PluginResult) => void;
  readonly fail: (error: Error) => void;
}

export interface Sessions {
  /** The handle of a session; a new one for an unknown id. */
  open(session: string): SessionHandle;
  /** False when no such session was run. */
  log(record: LogRecord): boolean;
  result(result: PluginResult): boolean;
  /** Rejects whatever still waits for a result. */
  close(): void;
}

async function download(result: Promise<PluginResult>): Promise<Buffer> {
  const { session, response } = await result;
  if (response === undefined) throw new Error(`session ${session} ended with an error; there is nothing to download`);
  const answer = await fetch(response);
  if (answer.status !== 200) throw new Error(`the archive of session ${session} answers ${answer.status}: ${await answer.text()}`);
  return Buffer.from(await answer.arrayBuffer());
}

export function createSessions(): Sessions {
  const records = new Map<string, SessionRecord>();

  const create = (session: string): SessionRecord => {
    let settle: SessionRecord["settle"] = () => undefined;
    let fail: SessionRecord["fail"] = () => undefined;
    const result = new Promise<PluginResult>((resolve, reject) => {
      settle = resolve;
      fail = reject;
    });
    // Whoever awaits it sees the rejection; who does not shall not be killed by it.
    result.catch(() => undefined);
    const logs: LogRecord[] = [];
    const results: PluginResult[] = [];
    return { handle: { session, logs, result, results, download: () => download(result) }, logs, results, settle, fail };
  };

  return {
    open: (session) => {
      const record = records.get(session) ?? create(session);
      records.set(session, record);
      return record.handle;
    },
    log: (log) => {
      const record = records.get(log.session);
      record?.logs.push(log);
      return record !== undefined;
    },
    result: (result) => {
      const record = records.get(result.session);
      record?.results.push(result);
      record?.settle(result);
      return record !== undefined;
    },
    close: () => {
      for (const { handle, fail } of records.values()) fail(new Error(`the simulator closed before session ${handle.session} ended`));
    },
  };
}
