/** A real S3-compatible server (versitygw) on a free loopback port, for tests: found or fetched by get-s3.mjs. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { BucketPlace } from "../../services/runtime/blob/place.js";
import { projectRoot } from "../project-root.js";
import { freePort } from "../support/free-port.js";
import { isRequired, skipReason } from "./required.js";

export interface S3Server {
  readonly endpoint: string;
  readonly bucket: string;
  /** The bucket of the server, with that prefix. */
  place(prefix: string): BucketPlace;
  /** Ends it as a power cut would. */
  kill(): Promise<void>;
  /** Starts it again, on the same port and data. */
  start(): Promise<void>;
  /** Ends it and deletes its data. */
  close(): Promise<void>;
}

/** What the SDK has to find: the server knows no other. */
export const S3_CREDENTIALS = { AWS_ACCESS_KEY_ID: "maskline-test", AWS_SECRET_ACCESS_KEY: "s3-secret-canary" } as const;

const BUCKET = "maskline-blobs";
const START_MS = 30_000;

/** The program, or why tests of S3 are skipped. */
export function findS3(): { readonly program: string } | { readonly skip: string } {
  const script = join(projectRoot, "test", "brokers", "get-s3.mjs");
  const args = isRequired("s3") ? [script] : [script, "--find"];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  return status === 0 ? { program: stdout.trim() } : { skip: skipReason("s3", stderr.trim()) };
}

/** Starts a server with an empty bucket. */
export async function startS3(program: string): Promise<S3Server> {
  const folder = await mkdtemp(join(tmpdir(), "maskline-s3-"));
  for (const name of [join("data", BUCKET), "meta"]) await mkdir(join(folder, name), { recursive: true });
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  let running: ChildProcess | undefined;
  /** Metadata stands in extended attributes, or, on a file system that has none, in files: then a blob is not replaced in one step. */
  let backend = ["posix", join(folder, "data")];

  async function start(): Promise<void> {
    const { AWS_ACCESS_KEY_ID: key, AWS_SECRET_ACCESS_KEY: secret } = S3_CREDENTIALS;
    const server = ["--port", `127.0.0.1:${port}`, "--quiet", "--health", "/health"];
    const env = { PATH: process.env.PATH, ROOT_ACCESS_KEY_ID: key, ROOT_SECRET_ACCESS_KEY: secret };
    const child = spawn(program, [...server, ...backend], { env, stdio: "ignore" });
    running = child;
    for (const end = Date.now() + START_MS; !(await answers(endpoint)); await sleep(20)) {
      if (child.exitCode !== null || Date.now() > end) throw new Error(`${program} does not answer on ${endpoint}`);
    }
  }

  async function kill(): Promise<void> {
    const child = running;
    running = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  }

  async function close(): Promise<void> {
    await kill();
    await rm(folder, { recursive: true, force: true });
  }

  try {
    await start().catch(() => {
      backend = ["posix", "--sidecar", join(folder, "meta"), join(folder, "data")];
      return start();
    });
  } catch (error) {
    await close();
    throw error;
  }
  const place = (prefix: string) => ({ bucket: BUCKET, prefix, endpoint, region: undefined, pathStyle: true });
  return { endpoint, bucket: BUCKET, place, kill, start, close };
}

async function answers(endpoint: string): Promise<boolean> {
  try {
    return (await fetch(`${endpoint}/health`)).ok;
  } catch {
    return false;
  }
}
