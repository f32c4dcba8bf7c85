/** The Hub simulator as a child process, spoken to in JSON lines. */
import { tmpdir } from "node:os";
import { isObject } from "../hub-simulator/contract.js";
import { type Child, startChild } from "../support/children.js";

export interface SimulatorChild {
  readonly child: Child;
  /** Its address and the plugin's credentials, once it listens. */
  readonly ready: Promise<{ url: string; pluginId: string; pluginSecret: string }>;
  /** The plugin is connected, and its secret is right. */
  readonly pluginConnected: Promise<void>;
  /** Presses Run with that Config JSON, for the tasks of all stages. */
  run(configJSON: object): void;
  /** The archive's URL. Rejects when the session ended with an error. */
  readonly archiveUrl: Promise<string>;
}

/** A promise and the functions that settle it; a rejection that nobody awaits is no crash. */
function promise<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void; readonly reject: (error: Error) => void } {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const made = new Promise<T>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  made.catch(() => undefined);
  return { promise: made, resolve, reject };
}

/**
 * @param onLog called with every line that the session's user sees
 * @param onRequest called with the name of every HTTP request
 */
export function startSimulator(
  projectFolder: string,
  onLog: (level: string, message: string) => void,
  onRequest: (name: string) => void = () => undefined,
): SimulatorChild {
  const ready = promise<{ url: string; pluginId: string; pluginSecret: string }>();
  const connected = promise<void>();
  const archive = promise<string>();

  const receive = (event: Record<string, unknown>) => {
    if (isObject(event.ready)) {
      const { url, pluginId, pluginSecret } = event.ready;
      ready.resolve({ url: String(url), pluginId: String(pluginId), pluginSecret: String(pluginSecret) });
    } else if (isObject(event.heartbeat)) {
      if (event.heartbeat.valid === true) connected.resolve();
    } else if (isObject(event.log)) {
      onLog(String(event.log.level), String(event.log.msg));
    } else if (isObject(event.request)) {
      onRequest(String(event.request.name));
    } else if (isObject(event.response)) {
      const { response } = event.response;
      if (typeof response === "string") archive.resolve(response);
      else archive.reject(new Error("the session ended with an error; its log says why"));
    } else if (isObject(event.failed)) {
      archive.reject(new Error(`the Hub simulator could not run the session: ${event.failed.reason}`));
    }
  };
  const child = startChild({
    name: "the Hub simulator",
    script: new URL("../hub-simulator/main.js", import.meta.url),
    args: ["--project", projectFolder],
    env: { PATH: process.env.PATH, TMPDIR: tmpdir() },
    onLine: (line) => {
      const event: unknown = JSON.parse(line);
      if (isObject(event)) receive(event);
    },
  });
  return {
    child,
    ready: ready.promise,
    pluginConnected: connected.promise,
    archiveUrl: archive.promise,
    run: (configJSON) => child.send(JSON.stringify({ run: { configJSON, stage: [] } })),
  };
}
