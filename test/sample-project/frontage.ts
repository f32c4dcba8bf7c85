/** A street seen from across: a row of houses, two sidewalks, and traffic that passes from side to side. */
import { glass, inLight, type Mood, mix } from "./moods.js";
import { type Layer, type Paint, paint, type Scene, type SceneObject, zone } from "./scene.js";
import { type Chance, type Contour, ellipse, type Placement, type Point, point, rectangle, rounded } from "./shapes.js";
import { HEIGHT, sky, WIDTH, weather } from "./sky.js";
import { pedestrian, trafficSign, tree } from "./street-life.js";
import { busFromTheSide, carFromTheSide, shadow } from "./vehicles.js";

/** Rows of the picture: where the house fronts stand, both curbs, the near sidewalk's upper edge. */
const FRONTS = 216;
const FAR_CURB = 240;
const NEAR_CURB = 328;

function flat(
  mood: Mood,
  title: SceneObject["title"],
  contours: readonly Contour[],
  colour: string,
  details: readonly Paint[] = [],
): SceneObject {
  const light = inLight(mood, colour);
  return {
    kind: "object",
    title,
    zones: contours.map((contour) => zone(contour)),
    fill: { top: mix(light, "#ffffff", 0.05), bottom: mix(light, "#12161d", 0.06) },
    behind: [],
    details,
  };
}

function ground(random: Chance, mood: Mood): { layers: Layer[]; curbs: Contour[] } {
  const lean = random.between(-5, 5);
  const edge = (y: number): readonly [Point, Point] => [point(-6, y - lean), point(WIDTH + 6, y + lean)];
  const band = (top: number, bottom: number): Contour => [...edge(top), ...edge(bottom).toReversed()];
  const at = (x: number, y: number) => point(x, y - lean + (2 * lean * x) / WIDTH);
  const dashes: Contour[] = [];
  for (let x = random.between(-40, 0); x < WIDTH; x += 62) dashes.push([at(x, 281), at(x + 34, 281), at(x + 32, 285), at(x - 3, 285)]);
  const light = inLight(mood, mood.sidewalk);
  const slabs = Array.from({ length: 22 }, (_, index) => [
    at(index * 32, NEAR_CURB),
    at(index * 32 + 1, NEAR_CURB),
    at(index * 32 - 9, HEIGHT + 8),
    at(index * 32 - 10, HEIGHT + 8),
  ]);
  return {
    layers: [
      flat(mood, "Road", [band(FAR_CURB, NEAR_CURB)], mood.road),
      flat(mood, "Sidewalk", [band(FRONTS - 8, FAR_CURB), band(NEAR_CURB, HEIGHT + 8)], mood.sidewalk, [
        paint(mix(light, "#2b2f36", 0.28), [band(FAR_CURB - 3, FAR_CURB), band(NEAR_CURB, NEAR_CURB + 4)]),
        paint(mix(light, "#2b2f36", 0.16), slabs),
      ]),
      flat(mood, "Lane marking", dashes, mood.falling === "snow" ? "#e3e8ec" : "#f1eee3"),
    ],
    curbs: [edge(FAR_CURB), edge(NEAR_CURB)],
  };
}

function roof(random: Chance, left: number, right: number, eaves: number): Point[] {
  const width = right - left;
  const kind = random.pick(["flat", "flat", "gable", "steps", "attic"]);
  if (kind === "gable") return [point(left, eaves), point((left + right) / 2, eaves - width * 0.28), point(right, eaves)];
  if (kind === "attic")
    return [point(left, eaves), point(left + width * 0.1, eaves - 18), point(right - width * 0.1, eaves - 18), point(right, eaves)];
  if (kind === "flat") return [point(left, eaves), point(right, eaves)];
  const step = width / 7;
  return [0, 1, 2, 3, 4, 5, 6].flatMap((index) => {
    const y = eaves - (3 - Math.abs(3 - index)) * 8;
    return [point(left + index * step, y), point(left + (index + 1) * step, y)];
  });
}

function facade(random: Chance, mood: Mood, left: number, right: number): SceneObject {
  const wall = inLight(mood, random.pick(mood.walls));
  const floors = random.whole(2, 4);
  const eaves = FRONTS - 44 - floors * random.between(29, 33);
  const columns = Math.max(2, Math.round((right - left) / random.between(25, 34)));
  const pitch = (right - left) / columns;
  const arched = random.happens(0.3);
  const storey = (FRONTS - 44 - eaves) / floors;
  const windows: Contour[] = [];
  for (let floor = 0; floor < floors; floor++) {
    for (let column = 0; column < columns; column++) {
      const x = left + pitch * (column + 0.5);
      const top = eaves + storey * floor + storey * 0.28;
      const half = pitch * 0.24;
      const bend = arched ? half : 0;
      windows.push(
        rounded([
          [x - half, top, bend],
          [x + half, top, bend],
          [x + half, top + storey * 0.56],
          [x - half, top + storey * 0.56],
        ]),
      );
    }
  }
  const doorAt = random.whole(0, columns - 1);
  const shops = Array.from({ length: columns }, (_, column) => column)
    .filter((column) => column !== doorAt)
    .map((column) => rectangle(left + pitch * (column + 0.12), FRONTS - 27, left + pitch * (column + 0.88), FRONTS - 7));
  const lit = [...windows.filter(() => random.happens(mood.lit)), ...(mood.lit > 0.3 ? shops : [])];
  const sills = windows.map((window) => {
    const [x, y] = [Math.min(...window.map(([px]) => px)), Math.max(...window.map(([, py]) => py))];
    return rectangle(x - 2, y, x + pitch * 0.48 + 2, y + 2);
  });
  const awning = random.pick(["#c8553d", "#3d6b8e", "#588157", "#e0a458", "#7d5a86"]);
  const stripes = Array.from({ length: Math.ceil((right - left) / 12) }, (_, index) =>
    rectangle(left + index * 12, FRONTS - 36, left + index * 12 + 6, FRONTS - 29),
  );
  const doorX = left + pitch * (doorAt + 0.5);
  return {
    kind: "object",
    title: "Building",
    zones: [zone([point(left, FRONTS), ...roof(random, left, right, eaves), point(right, FRONTS)], [...windows, ...shops])],
    fill: { top: mix(wall, "#ffffff", 0.08), bottom: mix(wall, "#1a2233", 0.08) },
    behind: [paint(glass(mood, false), [...windows, ...shops]), ...(lit.length > 0 ? [paint(glass(mood, true), lit, 0.92)] : [])],
    details: [
      paint(mix(wall, "#5b2f2a", 0.55), [rectangle(left, 0, right, eaves)], 0.75),
      paint(mix(wall, "#ffffff", 0.4), [rectangle(left, eaves, right, eaves + 4)]),
      paint(mix(wall, "#ffffff", 0.45), sills),
      paint(mix(wall, "#1a2233", 0.3), [rectangle(left, FRONTS - 6, right, FRONTS)]),
      paint(inLight(mood, awning), [rectangle(left, FRONTS - 36, right, FRONTS - 29)]),
      paint(inLight(mood, "#f5efe2"), stripes, 0.9),
      paint(inLight(mood, "#4c3a2f"), [rectangle(doorX - pitch * 0.2, FRONTS - 28, doorX + pitch * 0.2, FRONTS)]),
      paint(mix(wall, "#1a2233", 0.35), [rectangle(right - 1.2, 0, right, FRONTS)]),
    ],
  };
}

function facades(random: Chance, mood: Mood): Layer[] {
  const layers: Layer[] = [];
  const gap = random.happens(0.6) ? random.between(120, 480) : Number.POSITIVE_INFINITY;
  for (let left = -random.between(0, 50); left < WIDTH; ) {
    const right = left + random.between(82, 146);
    if (left <= gap && gap < right) layers.push(...square(random, mood, left, right));
    else layers.push(facade(random, mood, left, right));
    left = right;
  }
  return layers;
}

/** A gap between houses, with grass and trees. */
function square(random: Chance, mood: Mood, left: number, right: number): Layer[] {
  const bump = rounded([
    [left, FRONTS],
    [left, FRONTS - 20, 8],
    [(left + right) / 2, FRONTS - 30, 50],
    [right, FRONTS - 20, 8],
    [right, FRONTS],
  ]);
  const haze = (colour: string) => inLight(mood, colour);
  const trunks = [0.24, 0.62, 0.84].map((share) => left + (right - left) * share);
  return [
    flat(mood, "Terrain", [bump], mood.terrain),
    ...trunks.map((x) => tree(random, mood, { x, y: FRONTS - random.between(8, 16), scale: 15 }, random.between(5, 7), haze)),
  ];
}

function lane(random: Chance, mood: Mood, y: number, scale: number, mirrored: boolean, withBus: boolean): Layer[] {
  const layers: Layer[] = [];
  let x = random.between(10, 90);
  let bus = withBus;
  while (x < WIDTH + 20) {
    const at: Placement = { x: x + (bus ? 5.6 : 2.4) * scale, y, scale, mirrored };
    layers.push(shadow(bus ? 5.5 : 2.3, at, mood), bus ? busFromTheSide(random, mood, at) : carFromTheSide(random, mood, at));
    if (mood.lit > 0.3) {
      const reach = (bus ? 5.7 : 2.3) * (mirrored ? -1 : 1);
      layers.push({ kind: "glow", centre: [at.x + reach * scale, y - 0.7 * scale], radius: 1.1 * scale, colour: "#fff3c4", opacity: 0.7 });
    }
    x += (bus ? 11.6 : 5) * scale + random.between(26, 210);
    bus = false;
  }
  return layers;
}

function lamps(random: Chance, mood: Mood): Layer[] {
  const colour = inLight(mood, "#3c434d");
  return [random.between(70, 150), random.between(280, 360), random.between(490, 570)].flatMap((x): Layer[] => {
    const post = [point(x - 1.2, FAR_CURB - 4), point(x - 1, 150), point(x + 1, 150), point(x + 1.2, FAR_CURB - 4)];
    const lit = mood.lit > 0.3;
    const bulb = paint(lit ? "#fff0bf" : "#e9e6da", [ellipse(x, 147, 4.2, undefined, 14)]);
    return [
      paint(colour, [post]),
      bulb,
      ...(lit ? [{ kind: "glow", centre: [x, 147], radius: 30, colour: "#ffdf98", opacity: 0.85 } as const] : []),
    ];
  });
}

/** The houses on the other side of the street. */
export function frontage(random: Chance, mood: Mood, name: string): Scene {
  const haze = (colour: string) => inLight(mood, colour);
  const { layers, curbs } = ground(random, mood);
  const avenueTrees = Array.from({ length: random.whole(1, 4) }, (_, index) =>
    tree(random, mood, { x: 60 + index * 160 + random.between(0, 90), y: FAR_CURB - 7, scale: 17 }, random.between(5, 7), haze),
  );
  const people = (y: number, scale: number, count: number): Layer[] =>
    Array.from({ length: count }, () =>
      pedestrian(random, { x: random.between(20, WIDTH - 20), y: y + random.between(-3, 4), scale, mirrored: random.happens(0.5) }, haze),
    );
  const busLane = random.pick(["near", "far", "none", "none"]);
  const near = random.happens(0.45)
    ? [tree(random, mood, { x: random.pick([26, 612]), y: HEIGHT + 6, scale: 36 }, random.between(5.4, 7), haze)]
    : [];
  return {
    name,
    width: WIDTH,
    height: HEIGHT,
    layers: [
      ...sky(random, mood, 190),
      ...facades(random, mood),
      ...layers,
      ...lamps(random, mood),
      ...people(FAR_CURB - 8, 18, random.whole(2, 5)),
      ...avenueTrees,
      ...lane(random, mood, 268, 20, true, busLane === "far"),
      ...lane(random, mood, 314, 25, false, busLane === "near"),
      ...people(HEIGHT - 10, 33, random.whole(1, 3)),
      ...trafficSign(random, { x: random.between(80, 560), y: HEIGHT - 12, scale: 30 }, haze),
      ...near,
      ...weather(random, mood),
    ],
    plates: [],
    curbs,
  };
}
