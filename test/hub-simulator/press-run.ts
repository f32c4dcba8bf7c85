/**
 * Presses Run at a simulated Hub that takes commands on a port (main.ts), shows what its user sees, and fetches the zip:
 *
 *     node dist/test/hub-simulator/press-run.js --simulator host:3001 [--config '{}'] [--out masks.zip] [--timeout 240]
 *
 * Exits with 0 when the session ended with a zip, with 1 when it ended with an error, or not within so many seconds.
 */
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { isObject } from "./contract.js";

const RETRY_MS = 500;
/** The end of a zip's directory: the last record of every zip without a comment. */
const END_OF_ZIP = Buffer.from("PK\u0005\u0006", "latin1");
const END_RECORD_BYTES = 22;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      simulator: { type: "string" },
      config: { type: "string", default: "{}" },
      out: { type: "string" },
      timeout: { type: "string", default: "240" },
    },
  });
  if (values.simulator === undefined) throw new Error("--simulator is missing: host:port of its commands");
  const seconds = Number(values.timeout);
  setTimeout(() => fail(new Error(`the session did not end within ${seconds} s`)), seconds * 1000).unref();
  const socket = await connected(values.simulator);
  const session = randomBytes(12).toString("hex");
  const press = () => socket.write(`${JSON.stringify({ run: { configJSON: values.config, stage: [], session } })}\n`);
  press();
  const url = await answer(socket, session, press);
  const zip = await fetched(url);
  if (values.out !== undefined) await writeFile(values.out, zip);
  console.log(`The session ended with a zip of ${zip.length} bytes.`);
  socket.destroy();
}

/** The simulator may still be starting. */
async function connected(address: string): Promise<Socket> {
  const [host = "", port = ""] = address.split(":");
  for (;;) {
    const socket = connect(Number(port), host);
    const problem = await new Promise<Error | undefined>((resolve) => {
      socket.once("connect", () => resolve(undefined)).once("error", resolve);
    });
    if (problem === undefined) return socket;
    console.log(`The simulator at ${address} is not there yet (${problem.message}).`);
    await sleep(RETRY_MS);
  }
}

/** The address of the zip. While no plugin is connected, Run is pressed again. @throws when the session ends with an error */
async function answer(socket: Socket, session: string, press: () => void): Promise<string> {
  for await (const line of createInterface({ input: socket })) {
    const event: unknown = JSON.parse(line);
    if (!isObject(event)) continue;
    if (isObject(event.failed)) {
      console.log(`Run can not be pressed yet: ${event.failed.reason}`);
      await sleep(RETRY_MS);
      press();
    } else if (isObject(event.log) && event.log.session === session) console.log(`${event.log.level} ${event.log.msg}`);
    else if (isObject(event.response) && event.response.session === session) {
      if (typeof event.response.response === "string") return event.response.response;
      throw new Error("the session ended with an error; its log says why");
    }
  }
  throw new Error("the simulator went away");
}

async function fetched(url: string): Promise<Buffer> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`the zip can not be fetched: status ${response.status}`);
  const zip = Buffer.from(await response.arrayBuffer());
  if (!zip.subarray(-END_RECORD_BYTES).subarray(0, 4).equals(END_OF_ZIP)) throw new Error(`${zip.length} bytes came that are no zip`);
  return zip;
}

function fail(error: unknown): never {
  console.error(`press-run: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}

main().catch(fail);
