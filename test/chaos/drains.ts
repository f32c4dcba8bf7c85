/** How long each role takes to end under load, as it was measured last: drains.json, written by `npm run chaos -- --rolling --write`. */
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { projectRoot } from "../project-root.js";
import type { Role } from "./fleet.js";
import type { Drain } from "./rolling-run.js";

const FILE = join(projectRoot, "test/chaos/drains.json");

const roleDrains = z.object({
  /** Ends that were measured, and in how many of them it had work. */
  times: z.number().int().positive(),
  underWork: z.number().int(),
  medianMs: z.number().positive(),
  longestMs: z.number().positive(),
  /** From its next start to being ready. */
  medianStartMs: z.number().positive(),
});
const busDrains = z.object({ gateway: roleDrains, filter: roleDrains, rasterizer: roleDrains, packager: roleDrains });
const file = z.record(z.string(), busDrains);

export type RoleDrains = z.infer<typeof roleDrains>;
export type BusDrains = z.infer<typeof busDrains>;

export function drainsOf(drains: readonly Drain[]): BusDrains {
  const of = (wanted: Role): RoleDrains => {
    const own = drains.filter(({ role }) => role === wanted);
    const sorted = (field: "ms" | "startMs") => own.map((drain) => Math.round(drain[field])).sort((a, b) => a - b);
    const middle = (numbers: readonly number[]) => numbers[Math.floor(numbers.length / 2)] ?? 0;
    return {
      times: own.length,
      underWork: own.filter(({ held }) => held > 0).length,
      medianMs: middle(sorted("ms")),
      longestMs: sorted("ms").at(-1) ?? 0,
      medianStartMs: middle(sorted("startMs")),
    };
  };
  return { gateway: of("gateway"), filter: of("filter"), rasterizer: of("rasterizer"), packager: of("packager") };
}

/** By the name of the bus. */
export function readDrains(): Readonly<Record<string, BusDrains>> {
  return file.parse(JSON.parse(readFileSync(FILE, "utf8")));
}

export async function writeDrains(bus: string, drains: BusDrains): Promise<void> {
  await writeFile(FILE, `${JSON.stringify({ ...readDrains(), [bus]: drains }, undefined, 2)}\n`);
}
