/** Trees, people and signs; drawn in metres. */
import { type Mood, mix } from "./moods.js";
import { type Layer, paint, type SceneObject, zone } from "./scene.js";
import { type Chance, type Contour, cloud, ellipse, type Placement, place, point, rectangle, regular, rounded } from "./shapes.js";

type Haze = (colour: string) => string;

/** A tree `height` metres tall. Every fourth is a conifer. */
export function tree(random: Chance, mood: Mood, at: Placement, height: number, haze: Haze): SceneObject {
  return random.happens(0.22) ? conifer(random, mood, at, height, haze) : leafTree(random, mood, at, height, haze);
}

function leafTree(random: Chance, mood: Mood, at: Placement, height: number, haze: Haze): SceneObject {
  const leaves = haze(random.pick(mood.leaves));
  const size = height * at.scale;
  const [x, y] = [at.x, at.y - size * 0.64];
  const [radiusX, radiusY] = [size * random.between(0.27, 0.36), size * random.between(0.33, 0.38)];
  const crown = cloud(random, x, y, radiusX, radiusY, random.whole(7, 9));
  // Gaps near the middle, where the crown surely reaches beyond them; too small ones are not worth an annotator's click.
  const gaps = [
    [-0.3, -0.18],
    [0.26, 0.14],
    [0.02, -0.4],
  ].slice(0, size < 40 ? 0 : random.whole(1, 3));
  const holes = gaps.map(([right = 0, down = 0]) =>
    cloud(random, x + right * radiusX, y + down * radiusY, radiusX * random.between(0.11, 0.17), radiusY * random.between(0.1, 0.14), 5),
  );
  const clumps: Contour[] = random.happens(0.6)
    ? [cloud(random, x + radiusX * random.pick([-1.12, 1.12]), y + radiusY * random.between(0.1, 0.4), radiusX * 0.2, radiusY * 0.16, 5)]
    : [];
  const half = size * 0.028;
  const trunk = [
    point(x - half * 1.5, at.y),
    point(x - half * 0.8, y + radiusY * 0.4),
    point(x + half * 0.8, y + radiusY * 0.4),
    point(x + half * 1.5, at.y),
  ];
  return {
    kind: "object",
    title: "Tree",
    zones: [zone(trunk), zone(crown, holes), ...clumps.map((clump) => zone(clump))],
    fill: leaves,
    behind: [],
    details: [
      paint(mix(leaves, "#0d1f24", 0.3), [cloud(random, x + radiusX * 0.1, y + radiusY * 0.42, radiusX * 0.9, radiusY * 0.62, 7)], 0.6),
      paint(mix(leaves, "#fff6c9", 0.25), [cloud(random, x - radiusX * 0.22, y - radiusY * 0.36, radiusX * 0.58, radiusY * 0.46, 7)], 0.75),
      paint(haze("#6b4d38"), [rectangle(x - half * 2, y + radiusY * 1.02, x + half * 2, at.y)]),
    ],
  };
}

function conifer(random: Chance, mood: Mood, at: Placement, height: number, haze: Haze): SceneObject {
  const green = haze(mood.falling === "snow" ? "#55806f" : random.pick(["#2f6d52", "#3b7a4a"]));
  const size = height * at.scale;
  const half = size * random.between(0.19, 0.24);
  const up = (share: number) => at.y - size * share;
  const left = [
    [-0.36, 0.72],
    [-0.2, 0.7],
    [-0.66, 0.45],
    [-0.42, 0.43],
    [-1, 0.14],
  ] as const;
  const outline = [
    point(at.x, up(1)),
    ...left.map(([right, share]) => point(at.x + right * half, up(share))),
    ...left.toReversed().map(([right, share]) => point(at.x - right * half, up(share))),
  ];
  const trunk = rectangle(at.x - size * 0.03, up(0.15), at.x + size * 0.03, at.y);
  const snow: Contour = [
    point(at.x, up(1.02)),
    point(at.x - half * 0.34, up(0.76)),
    point(at.x - half * 0.1, up(0.8)),
    point(at.x + half * 0.12, up(0.76)),
    point(at.x + half * 0.34, up(0.76)),
  ];
  return {
    kind: "object",
    title: "Tree",
    zones: [zone(trunk), zone(outline)],
    fill: green,
    behind: [],
    details: [
      paint(mix(green, "#0d1f24", 0.35), [[point(at.x, up(1)), point(at.x + half, up(0.1)), point(at.x + half * 0.1, up(0.1))]], 0.55),
      ...(mood.falling === "snow" ? [paint("#f4f8fa", [snow], 0.9)] : []),
      paint(haze("#5b4332"), [rectangle(at.x - size * 0.04, up(0.135), at.x + size * 0.04, at.y)]),
    ],
  };
}

const COATS = ["#d1495b", "#edae49", "#00798c", "#30638e", "#7b4b94", "#3d405b", "#81b29a", "#f4f1de"] as const;
const TROUSERS = ["#2f3b52", "#4a4238", "#1f2a38", "#6b7280"] as const;
const SKINS = ["#f1c7a5", "#d9a178", "#9c6b4a", "#6f4a35"] as const;
const HAIRS = ["#2b2119", "#5a3d2b", "#c9a15a", "#8a8a8a"] as const;

/** Somebody walking, about 1.75 m tall. */
export function pedestrian(random: Chance, at: Placement, haze: Haze): SceneObject {
  const stride = random.between(0.16, 0.34);
  const coat = haze(random.pick(COATS));
  const hem = random.pick([0.8, 0.88, 0.62]);
  const shape = (...corners: [number, number, number?][]) => rounded(place(corners, at));
  const [head = [at.x, at.y]] = place([[0.03, 1.6]], at);
  const legs = shape(
    [-0.17, 0.95],
    [0.17, 0.95],
    [stride + 0.06, 0.04, 0.04],
    [stride + 0.16, 0, 0.02],
    [stride - 0.12, 0, 0.02],
    [0, 0.7, 0.05],
    [-stride + 0.08, 0, 0.02],
    [-stride - 0.12, 0, 0.02],
  );
  const body = shape([-0.2, hem, 0.04], [-0.23, 1.44, 0.14], [0.21, 1.44, 0.14], [0.22, hem, 0.04]);
  const arm = shape([-0.06, 1.4, 0.06], [-0.06 - stride * 0.8, 0.84, 0.05], [0.05 - stride * 0.8, 0.8, 0.05], [0.1, 1.38, 0.06]);
  const headShape = ellipse(head[0], head[1], 0.125 * at.scale, 0.155 * at.scale, 12);
  const hair = shape([-0.16, 1.58], [-0.16, 1.8], [0.2, 1.8], [0.2, 1.68], [0.0, 1.66], [-0.05, 1.54]);
  return {
    kind: "object",
    title: "Pedestrian",
    zones: [zone(legs), zone(body), zone(arm), zone(headShape)],
    fill: coat,
    behind: [],
    details: [
      paint(haze(random.pick(TROUSERS)), [shape([-0.9, hem], [0.9, hem], [0.9, 0.06], [-0.9, 0.06])]),
      paint(haze("#17181c"), [shape([-0.9, 0.06], [0.9, 0.06], [0.9, -0.1], [-0.9, -0.1])]),
      paint(mix(coat, "#101318", 0.22), [arm]),
      paint(haze(random.pick(SKINS)), [headShape]),
      paint(haze(random.pick(HAIRS)), [hair]),
    ],
  };
}

/** A sign on its pole. The pole is not annotated. */
export function trafficSign(random: Chance, at: Placement, haze: Haze): Layer[] {
  const kind = random.pick(["stop", "yield", "limit", "priority", "parking"]);
  const radius = 0.42 * at.scale;
  const [x, y] = [at.x, at.y - 2.5 * at.scale];
  const pole = paint(haze("#7c838c"), [rectangle(x - 0.04 * at.scale, y, x + 0.04 * at.scale, at.y)]);
  const plate = signPlate(kind, x, y, radius);
  return [
    pole,
    {
      kind: "object",
      title: "Traffic sign",
      zones: [zone(plate.outline)],
      fill: haze(plate.fill),
      behind: [],
      details: plate.inner.map(([fill, contour]) => paint(haze(fill), [contour])),
    },
  ];
}

interface Plate {
  readonly outline: Contour;
  readonly fill: string;
  readonly inner: readonly (readonly [fill: string, contour: Contour])[];
}

function signPlate(kind: "stop" | "yield" | "limit" | "priority" | "parking", x: number, y: number, radius: number): Plate {
  const quarter = Math.PI / 2;
  switch (kind) {
    case "stop":
      return {
        outline: regular(x, y, radius * 1.08, 8, quarter / 4),
        fill: "#f6f4ee",
        inner: [
          ["#c8242b", regular(x, y, radius * 0.95, 8, quarter / 4)],
          ["#f6f4ee", rectangle(x - radius * 0.62, y - radius * 0.16, x + radius * 0.62, y + radius * 0.16)],
        ],
      };
    case "yield":
      return {
        outline: regular(x, y - radius * 0.2, radius * 1.2, 3, quarter),
        fill: "#cf2f2f",
        inner: [["#f6f4ee", regular(x, y - radius * 0.2, radius * 0.7, 3, quarter)]],
      };
    case "limit":
      return {
        outline: ellipse(x, y, radius, radius, 20),
        fill: "#cf2f2f",
        inner: [
          ["#f6f4ee", ellipse(x, y, radius * 0.76, undefined, 20)],
          ["#22252b", rectangle(x - radius * 0.4, y - radius * 0.34, x - radius * 0.22, y + radius * 0.34)],
          ["#22252b", rectangle(x + radius * 0.02, y - radius * 0.34, x + radius * 0.42, y + radius * 0.34)],
          ["#f6f4ee", rectangle(x + radius * 0.15, y - radius * 0.2, x + radius * 0.29, y + radius * 0.2)],
        ],
      };
    case "priority":
      return { outline: regular(x, y, radius * 1.12, 4, 0), fill: "#f6f4ee", inner: [["#f0b323", regular(x, y, radius * 0.82, 4, 0)]] };
    case "parking":
      return {
        outline: rounded([
          [x - radius, y - radius, radius * 0.2],
          [x + radius, y - radius, radius * 0.2],
          [x + radius, y + radius, radius * 0.2],
          [x - radius, y + radius, radius * 0.2],
        ]),
        fill: "#2563b8",
        inner: [
          ["#f6f4ee", rectangle(x - radius * 0.38, y - radius * 0.62, x + radius * 0.42, y + radius * 0.16)],
          ["#2563b8", rectangle(x - radius * 0.1, y - radius * 0.38, x + radius * 0.18, y - radius * 0.08)],
          ["#f6f4ee", rectangle(x - radius * 0.38, y - radius * 0.62, x - radius * 0.1, y + radius * 0.66)],
        ],
      };
  }
}
