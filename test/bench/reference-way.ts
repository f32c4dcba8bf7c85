/** The reference converter's way, measured by python3 with OpenCV, numpy and Pillow where those are installed. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import type { PngFormat } from "../../services/rasterizer/png-format.js";
import { projectRoot } from "../project-root.js";
import { sceneMix } from "./scene-mix.js";

/** Milliseconds of one mask of the scene mix; undefined where python3 or its packages are missing. */
export function referenceMilliseconds({ width, height, bytesPerPixel, values }: PngFormat): number | undefined {
  const list = (contour: Int32Array) => Array.from({ length: contour.length / 2 }, (_, at) => [contour[at * 2], contour[at * 2 + 1]]);
  const objects = sceneMix(width, height).objects.map(({ label, zones }) => {
    const value = values[label] ?? 0;
    return {
      value: bytesPerPixel === 1 ? [value] : [value >> 16, (value >> 8) & 0xff, value & 0xff],
      zones: zones.map(({ region, holes }) => ({ region: list(region), holes: holes.map(list) })),
    };
  });
  const input = JSON.stringify({ width, height, channels: bytesPerPixel, objects });
  const { status, stdout } = spawnSync("python3", [join(projectRoot, "test/bench/reference_way.py")], { input, encoding: "utf8" });
  return status === 0 ? Number(stdout) : undefined;
}
