/** The scene that drawing is measured with: 8 polygons of 12 points and 7 segmentations of 300 points with holes, always the same ones. */
import type { Scene, SceneObject, SceneZone } from "../../services/rasterizer/scene.js";

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A closed contour around a centre whose radius swings by `roughness`. */
function blob(random: () => number, points: number, x: number, y: number, radius: number, roughness: number): Int32Array {
  const swings = Array.from({ length: 5 }, (_, wave) => ({ times: wave + 1, phase: random() * 2 * Math.PI, size: random() / (wave + 1) }));
  return Int32Array.from({ length: points * 2 }, (_, i) => {
    const angle = ((i >> 1) / points) * 2 * Math.PI;
    const swing = swings.reduce((sum, { times, phase, size }) => sum + size * Math.sin(times * angle + phase), 0);
    const distance = radius * (1 + roughness * swing);
    return Math.round(i % 2 === 0 ? x + distance * Math.cos(angle) : y + distance * Math.sin(angle));
  });
}

/** Fifteen objects for an image of this size; they overlap and some leave the image. */
export function sceneMix(width: number, height: number, seed = 20_240_601): Scene {
  const random = seededRandom(seed);
  const zoneAt = (points: number, holes: number): SceneZone => {
    const x = random() * width;
    const y = random() * height;
    const radius = height * (0.05 + 0.11 * random());
    return {
      region: blob(random, points, x, y, radius, 0.35),
      holes: Array.from({ length: holes }, () =>
        blob(random, points >> 2, x + (random() - 0.5) * radius * 0.6, y + (random() - 0.5) * radius * 0.6, radius * 0.2, 0.3),
      ),
    };
  };
  const objects = Array.from(
    { length: 15 },
    (_, index): SceneObject => ({ label: index + 1, zones: [index % 2 === 0 ? zoneAt(12, 0) : zoneAt(300, 2)] }),
  );
  return { width, height, objects };
}
