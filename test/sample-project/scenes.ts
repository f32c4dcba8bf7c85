/** The 60 scenes of the sample project: three kinds of street in eight lights. */
import { avenue } from "./avenue.js";
import { frontage } from "./frontage.js";
import { MOODS } from "./moods.js";
import type { Scene } from "./scene.js";
import { chance } from "./shapes.js";

export const SCENE_COUNT = 60;
const KINDS = ["avenue", "frontage", "park"] as const;

/** Scene `index` of the sample, always the same one. */
export function sceneAt(index: number): Scene {
  const random = chance(0x5eed + index * 7919);
  const mood = MOODS[(index + Math.floor(index / 8)) % MOODS.length] ?? MOODS[0];
  const kind = KINDS[index % KINDS.length] ?? "avenue";
  const name = `${String(index + 1).padStart(2, "0")}-${kind}-${mood.name}`;
  return kind === "frontage" ? frontage(random, mood, name) : avenue(random, mood, name, kind === "park");
}

export function allScenes(): Scene[] {
  return Array.from({ length: SCENE_COUNT }, (_, index) => sceneAt(index));
}
