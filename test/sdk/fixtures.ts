/** The recordings of the vendor's own package that our frames and requests are held to. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../project-root.js";
import type { Recording } from "./recording.js";

export interface Fixture extends Recording {
  /** What was recorded. */
  readonly of: string;
}

const fileOf = (connector: "WS" | "REST") => join(projectRoot, "test/sdk/fixtures", `${connector.toLowerCase()}.json`);

export function readFixture(connector: "WS" | "REST"): Fixture {
  return JSON.parse(readFileSync(fileOf(connector), "utf8")) as Fixture;
}

export function writeFixture(connector: "WS" | "REST", fixture: Fixture): void {
  writeFileSync(fileOf(connector), `${JSON.stringify(fixture, undefined, 2)}\n`);
}
