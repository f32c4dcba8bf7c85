/** A street seen along its length, in true perspective: everything stands on one ground plane and is drawn from far to near. */
import { glass, inHaze, inLight, type Mood, mix } from "./moods.js";
import { type Box, type Layer, paint, type Scene, type SceneObject, zone } from "./scene.js";
import { bounds, type Chance, type Contour, type Placement, type Point, point } from "./shapes.js";
import { HEIGHT, sky, WIDTH, weather } from "./sky.js";
import { pedestrian, trafficSign, tree } from "./street-life.js";
import { busFromBehind, carAlong, plateOf, shadow } from "./vehicles.js";

/** Metres: half the road, the outer edge of the sidewalk, the line of the house fronts. */
const ROAD = 4.4;
const SIDEWALK = 7.6;
const FRONTS = 9.4;
const NEAR = 2.2;
const FAR = 170;
const FOCAL = 340;
const EYE = 2.7;

interface View {
  readonly mood: Mood;
  /** Where a point lands in the picture: metres right of the road's middle, above the ground, ahead. */
  readonly project: (right: number, up: number, ahead: number) => Point;
  readonly placeAt: (right: number, ahead: number) => Placement;
  readonly hazeAt: (ahead: number) => (colour: string) => string;
}

interface Item {
  readonly ahead: number;
  readonly layers: readonly Layer[];
}

function createView(random: Chance, mood: Mood, park: boolean): View & { readonly horizon: number } {
  const horizon = random.between(132, 158);
  const middle = WIDTH / 2 + random.between(-70, 70);
  // A park road winds, an avenue hardly does.
  const bend = park ? random.between(0.0009, 0.0016) * random.pick([-1, 1]) : random.between(-0.0003, 0.0003);
  const shift = (ahead: number) => bend * ahead * ahead * Math.max(0.2, 1 - ahead / 260);
  const project = (right: number, up: number, ahead: number) =>
    point(middle + (FOCAL * (right + shift(ahead))) / ahead, horizon + (FOCAL * (EYE - up)) / ahead);
  return {
    mood,
    horizon,
    project,
    placeAt: (right, ahead) => {
      const [x, y] = project(right, 0, ahead);
      return { x, y, scale: FOCAL / ahead };
    },
    hazeAt: (ahead) => (colour) => inHaze(mood, colour, (ahead - 12) / 150),
  };
}

/** A strip of ground between two distances from the middle of the road. */
function strip({ project }: View, left: number, right: number, from = NEAR, to = FAR): Contour {
  const steps = Math.max(1, Math.min(24, Math.round((to - from) / 4)));
  // Even steps in the picture, not on the ground.
  const distances = Array.from({ length: steps + 1 }, (_, step) => 1 / (1 / from + (1 / to - 1 / from) * (step / steps)));
  return [...distances.map((ahead) => project(left, 0, ahead)), ...distances.toReversed().map((ahead) => project(right, 0, ahead))];
}

function ground(random: Chance, view: View, crossingAt: number | undefined, reach: number): { layers: Layer[]; curbs: Contour[] } {
  const { mood } = view;
  const plain = (title: "Road" | "Terrain" | "Sidewalk" | "Lane marking", contours: Contour[], colour: string, near = 0): SceneObject => ({
    kind: "object",
    title,
    zones: contours.map((contour) => zone(contour)),
    fill: { top: inHaze(mood, colour, 0.45 - near), bottom: inLight(mood, colour) },
    behind: [],
    details: [],
  });
  const dashes: Contour[] = [];
  for (let ahead = random.between(4, 8); ahead < 110; ahead += 7) {
    if (crossingAt === undefined || ahead + 3 < crossingAt - 1 || ahead > crossingAt + 4)
      dashes.push(strip(view, -0.09, 0.09, ahead, ahead + 3));
  }
  const edges = [strip(view, -ROAD + 0.25, -ROAD + 0.4), strip(view, ROAD - 0.4, ROAD - 0.25)];
  const crossing: Contour[] = [];
  for (let right = -ROAD + 0.7; crossingAt !== undefined && right < ROAD - 0.9; right += 1.05)
    crossing.push(strip(view, right, right + 0.55, crossingAt, crossingAt + 3));
  const marking = mood.falling === "snow" ? "#dfe4e8" : "#f1eee3";
  const walks = [strip(view, -SIDEWALK, -ROAD), strip(view, ROAD, SIDEWALK)];
  return {
    layers: [
      plain("Terrain", [strip(view, -reach, reach)], mood.terrain),
      plain("Road", [strip(view, -ROAD, ROAD)], mood.road),
      plain("Sidewalk", walks, mood.sidewalk),
      paint(inLight(mood, mix(mood.sidewalk, "#2b2f36", 0.3)), [strip(view, -ROAD - 0.22, -ROAD), strip(view, ROAD, ROAD + 0.22)], 0.8),
      plain("Lane marking", edges, marking, 0.2),
      plain("Lane marking", [...dashes, ...crossing], marking, 0.2),
    ],
    curbs: [-ROAD, ROAD].map((right) => strip(view, right, right).slice(0, 25)),
  };
}

/** A house whose front faces the road and whose near end faces the camera; windows are holes in both walls. */
function house(random: Chance, view: View, side: -1 | 1, from: number, to: number): Item {
  const { mood, project } = view;
  const floors = random.whole(2, 4);
  const top = 3.6 + floors * 3;
  const haze = view.hazeAt(from);
  const wall = haze(random.pick(mood.walls));
  const front = side * FRONTS;
  const back = side * (FRONTS + 11);
  const quad = (a: Point, b: Point, c: Point, d: Point): Contour => [a, b, c, d];
  const onFront = (start: number, end: number, low: number, high: number) =>
    quad(project(front, low, start), project(front, high, start), project(front, high, end), project(front, low, end));
  const onEnd = (left: number, right: number, low: number, high: number) =>
    quad(project(left, low, from), project(left, high, from), project(right, high, from), project(right, low, from));

  const windows: Contour[] = [];
  const columns = Math.max(1, Math.floor((to - from - 1) / 2.7));
  const pitch = (to - from) / columns;
  for (let floor = 0; floor < floors; floor++) {
    const low = 4.3 + floor * 3;
    for (let column = 0; column < columns; column++)
      windows.push(onFront(from + pitch * (column + 0.25), from + pitch * (column + 0.75), low, low + 1.7));
    for (let column = 0; column < 3; column++) {
      const left = front + side * (1.4 + column * 3.2);
      windows.push(onEnd(left, left + side * 1.5, low, low + 1.7));
    }
  }
  for (let column = 0; column < columns; column++)
    windows.push(onFront(from + pitch * (column + 0.12), from + pitch * (column + 0.88), 0.7, 2.7));
  const holes = windows.filter(worthClicking);
  const lit = holes.filter(() => random.happens(mood.lit));
  const dark = mix(wall, "#1a2233", 0.24);
  return {
    ahead: from,
    layers: [
      {
        kind: "object",
        title: "Building",
        zones: [
          zone(
            [
              project(back, 0, from),
              project(back, top, from),
              project(front, top, from),
              project(front, top, to),
              project(front, 0, to),
              project(front, 0, from),
            ],
            holes,
          ),
        ],
        fill: { top: mix(wall, "#ffffff", 0.08), bottom: mix(wall, "#1a2233", 0.12) },
        behind: [
          ...(holes.length > 0 ? [paint(haze(glass(mood, false)), holes)] : []),
          ...(lit.length > 0 ? [paint(mix(glass(mood, true), haze("#8a8f98"), 0.15), lit)] : []),
        ],
        details: [
          paint(dark, [onEnd(front, back, 0, top)], 0.85),
          paint(haze("#4a4f59"), [onFront(from, to, 0, 0.45), onEnd(front, back, 0, 0.45)], 0.7),
          paint(mix(wall, "#ffffff", 0.35), [onFront(from, to, top - 0.55, top), onFront(from, to, 3.2, 3.5)], 0.8),
          paint(mix(dark, "#ffffff", 0.25), [onEnd(front, back, top - 0.55, top)], 0.8),
        ],
      },
    ],
  };
}

/** A window that is in the picture and large enough that somebody would have outlined it. */
function worthClicking(contour: Contour): boolean {
  const { left, top, right, bottom } = bounds([contour]);
  return right > 1 && left < WIDTH - 1 && bottom > 1 && top < HEIGHT - 1 && right - left > 3.5 && bottom - top > 4;
}

function houses(random: Chance, view: View, side: -1 | 1): Item[] {
  const items: Item[] = [];
  for (let from = random.between(6, 10); from < 100; ) {
    const to = from + random.between(8, 15);
    items.push(house(random, view, side, from, to));
    from = to + random.pick([0, 0, 0.8, 3.5]);
  }
  return items;
}

function trees(random: Chance, view: View, park: boolean): Item[] {
  const items: Item[] = [];
  for (const side of [-1, 1]) {
    for (let ahead = random.between(9, 15); ahead < 85; ahead += park ? random.between(5, 10) : random.between(9, 17)) {
      const right = side * (park ? random.between(8.6, 22) : 6.9);
      const height = park ? random.between(5, 9.5) : random.between(4.6, 6.6);
      items.push({ ahead, layers: [tree(random, view.mood, view.placeAt(right, ahead), height, view.hazeAt(ahead))] });
    }
  }
  return items;
}

/** Traffic on two lanes; on the right one it goes away from the camera. */
function traffic(random: Chance, view: View, withBus: boolean, plates: Box[]): Item[] {
  const items: Item[] = [];
  for (const [lane, facing] of [
    [2.15, false],
    [-2.15, true],
  ] as const) {
    let ahead = random.between(7.5, 13);
    const cars = random.whole(1, 3);
    for (let index = 0; index < cars; index++) {
      const at = view.placeAt(lane, ahead);
      const bus = withBus && !facing && index === cars - 1;
      const vehicle = bus
        ? busFromBehind(random, view.mood, at, view.hazeAt(ahead))
        : carAlong(random, view.mood, at, facing, view.hazeAt(ahead));
      const lamps: Layer[] = view.mood.lit > 0.3 ? [-0.71, 0.71].map((right) => lampGlow(at, right, facing)) : [];
      items.push({ ahead, layers: [shadow(bus ? 1.4 : 1.1, at, view.mood), vehicle, ...lamps] });
      if (ahead < 16) {
        const { left, top, right, bottom } = bounds([plateOf(at)]);
        // Some are drawn from the lower right corner: width and height are negative then.
        plates.push(
          index === 0
            ? { x: left, y: top, width: right - left, height: bottom - top }
            : { x: right, y: bottom, width: left - right, height: top - bottom },
        );
      }
      ahead += random.between(9, 22);
    }
  }
  return items;
}

function lampGlow(at: Placement, right: number, facing: boolean): Layer {
  const centre: Point = [at.x + right * at.scale, at.y - 0.75 * at.scale];
  return {
    kind: "glow",
    centre,
    radius: (facing ? 0.85 : 0.5) * at.scale,
    colour: facing ? "#fff3c4" : "#ff4a3d",
    opacity: facing ? 0.75 : 0.5,
  };
}

function walkers(random: Chance, view: View, crossingAt: number | undefined): Item[] {
  const items: Item[] = [];
  for (let count = random.whole(2, 5); count > 0; count--) {
    const ahead = random.between(8.5, 30);
    const right = random.pick([-1, 1]) * random.between(5.1, 6.4);
    items.push({
      ahead,
      layers: [pedestrian(random, { ...view.placeAt(right, ahead), mirrored: random.happens(0.5) }, view.hazeAt(ahead))],
    });
  }
  for (let count = crossingAt === undefined ? 0 : random.whole(1, 3); crossingAt !== undefined && count > 0; count--) {
    const ahead = crossingAt + random.between(0.6, 2.4);
    items.push({
      ahead,
      layers: [
        pedestrian(random, { ...view.placeAt(random.between(-3.6, 3.6), ahead), mirrored: random.happens(0.5) }, view.hazeAt(ahead)),
      ],
    });
  }
  return items;
}

function lampPosts(view: View): Item[] {
  const items: Item[] = [];
  const colour = (ahead: number) => view.hazeAt(ahead)("#3f464f");
  for (let ahead = 12; ahead < 80; ahead += 16) {
    for (const side of [-1, 1]) {
      const { x, y, scale } = view.placeAt(side * 4.9, ahead);
      const head = [x - side * 1.1 * scale, y - 5.1 * scale] as const;
      const pole = [
        point(x - 0.05 * scale, y),
        point(x - 0.05 * scale, y - 5.1 * scale),
        point(x + 0.05 * scale, y - 5.1 * scale),
        point(x + 0.05 * scale, y),
      ];
      const arm = [
        point(x, y - 5.1 * scale),
        point(head[0], head[1] - 0.1 * scale),
        point(head[0], head[1] + 0.08 * scale),
        point(x, y - 4.95 * scale),
      ];
      const shining = view.mood.lit > 0.3;
      const glow: Layer = { kind: "glow", centre: head, radius: 1.5 * scale, colour: "#ffe2a0", opacity: 0.8 };
      items.push({ ahead, layers: [paint(colour(ahead), [pole]), paint(colour(ahead), [arm]), ...(shining ? [glow] : [])] });
    }
  }
  return items;
}

function signs(random: Chance, view: View): Item[] {
  return Array.from({ length: random.whole(1, 3) }, (_, index) => {
    const ahead = 8 + index * 7 + random.between(0, 3);
    return {
      ahead,
      layers: trafficSign(random, view.placeAt(random.pick([-1, 1]) * random.between(4.75, 5.1), ahead), view.hazeAt(ahead)),
    };
  });
}

/** A street between houses, or a road that winds through a park. */
export function avenue(random: Chance, mood: Mood, name: string, park: boolean): Scene {
  const view = createView(random, mood, park);
  const crossingAt = random.happens(park ? 0.2 : 0.55) ? random.between(8, 13) : undefined;
  const plates: Box[] = [];
  const { layers, curbs } = ground(random, view, crossingAt, park ? 90 : FRONTS + 0.4);
  const farFirst = (items: readonly Item[]) => [...items].sort((one, other) => other.ahead - one.ahead).flatMap((item) => item.layers);
  // Whoever stands in the street hides the houses beside it, whatever their distances.
  const walls = farFirst(park ? [] : [...houses(random, view, -1), ...houses(random, view, 1)]);
  const items = farFirst([
    ...(park ? [] : lampPosts(view)),
    ...trees(random, view, park),
    ...traffic(random, view, random.happens(0.35), plates),
    ...walkers(random, view, crossingAt),
    ...signs(random, view),
  ]);
  return {
    name,
    width: WIDTH,
    height: HEIGHT,
    layers: [...sky(random, mood, view.horizon), ...layers, ...walls, ...items, ...weather(random, mood)],
    plates,
    curbs,
  };
}
