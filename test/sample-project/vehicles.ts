/** Cars and buses, from the side and from behind or in front; drawn in metres. */
import { glass, inLight, type Mood, mix } from "./moods.js";
import { type Paint, paint, type SceneObject, zone } from "./scene.js";
import { type Chance, type Contour, type Corner, ellipse, type Placement, place, rounded } from "./shapes.js";

const BODY_COLOURS = ["#d7443e", "#f2f2ee", "#2b5f9e", "#e5b53a", "#3d434b", "#4fa3a5", "#8d3b52", "#9fb3c4", "#e87f4d"] as const;

interface SideView {
  readonly body: readonly Corner[];
  readonly windows: readonly (readonly Corner[])[];
  readonly wheels: readonly number[];
  readonly wheelRadius: number;
  /** Where the body ends in front and behind, for the lamps. */
  readonly front: number;
  readonly back: number;
}

const SEDAN: SideView = {
  body: [
    [-2.2, 0.3, 0.1],
    [-2.28, 0.86, 0.14],
    [-1.75, 0.98, 0.2],
    [-1.2, 1.42, 0.25],
    [0.3, 1.46, 0.4],
    [1.05, 0.98, 0.25],
    [2.05, 0.84, 0.3],
    [2.28, 0.5, 0.15],
    [2.22, 0.28, 0.08],
  ],
  windows: [
    [
      [-1.52, 0.96, 0.04],
      [-1.12, 1.32, 0.08],
      [-0.48, 1.36, 0.04],
      [-0.48, 0.96, 0.04],
    ],
    [
      [-0.36, 0.96, 0.04],
      [-0.36, 1.36, 0.04],
      [0.28, 1.35, 0.12],
      [0.82, 0.96, 0.04],
    ],
  ],
  wheels: [-1.38, 1.4],
  wheelRadius: 0.34,
  front: 2.2,
  back: -2.22,
};
const HATCHBACK: SideView = {
  body: [
    [-1.85, 0.3, 0.1],
    [-1.95, 0.9, 0.14],
    [-1.6, 1.46, 0.22],
    [0.2, 1.5, 0.4],
    [0.95, 1.0, 0.25],
    [1.75, 0.86, 0.3],
    [1.92, 0.5, 0.15],
    [1.88, 0.28, 0.08],
  ],
  windows: [
    [
      [-1.6, 0.98, 0.04],
      [-1.42, 1.36, 0.08],
      [-0.6, 1.4, 0.04],
      [-0.6, 0.98, 0.04],
    ],
    [
      [-0.48, 0.98, 0.04],
      [-0.48, 1.4, 0.04],
      [0.18, 1.38, 0.12],
      [0.72, 0.98, 0.04],
    ],
  ],
  wheels: [-1.18, 1.16],
  wheelRadius: 0.33,
  front: 1.86,
  back: -1.88,
};
const VAN: SideView = {
  body: [
    [-2.5, 0.36, 0.1],
    [-2.55, 1.9, 0.2],
    [-2.35, 2.15, 0.2],
    [1.2, 2.15, 0.3],
    [1.95, 1.3, 0.3],
    [2.45, 1.1, 0.25],
    [2.52, 0.5, 0.15],
    [2.48, 0.34, 0.08],
  ],
  windows: [
    [
      [0.25, 1.28, 0.04],
      [0.25, 1.9, 0.06],
      [1.05, 1.9, 0.1],
      [1.6, 1.28, 0.06],
    ],
    [
      [-1.1, 1.28, 0.05],
      [-1.1, 1.88, 0.05],
      [0.05, 1.88, 0.05],
      [0.05, 1.28, 0.05],
    ],
  ],
  wheels: [-1.6, 1.55],
  wheelRadius: 0.38,
  front: 2.44,
  back: -2.48,
};

/** Panes of vehicles: darker than a house's, and see-through. */
const pane = (mood: Mood) => mix(glass(mood, false), "#16222d", 0.5);

/** Lamps shine from dusk on. */
const shines = (mood: Mood) => mood.lit > 0.3;

function wheel(x: number, radius: number, at: Placement): { tyre: Contour; rim: Contour } {
  const [centre = [0, 0]] = place([[x, radius]], at);
  const tyre = ellipse(centre[0], centre[1], radius * at.scale, undefined, 14);
  return { tyre, rim: ellipse(centre[0], centre[1], radius * at.scale * 0.55, undefined, 12) };
}

function box(left: number, bottom: number, right: number, top: number, at: Placement, radius = 0): Contour {
  return rounded(
    place(
      [
        [left, bottom, radius],
        [left, top, radius],
        [right, top, radius],
        [right, bottom, radius],
      ],
      at,
    ),
  );
}

/** The shadow under a vehicle. */
export function shadow(halfLength: number, at: Placement, mood: Mood): Paint {
  return paint("#0b0e14", [ellipse(at.x, at.y, halfLength * at.scale, 0.16 * at.scale)], 0.2 + 0.15 * (1 - mood.tintShare));
}

export function carFromTheSide(random: Chance, mood: Mood, at: Placement): SceneObject {
  const view = random.pick([SEDAN, HATCHBACK, SEDAN, HATCHBACK, VAN]);
  const colour = random.pick(BODY_COLOURS);
  const wheels = view.wheels.map((x) => wheel(x, view.wheelRadius, at));
  const windows = view.windows.map((corners) => rounded(place(corners, at)));
  const light = inLight(mood, colour);
  return {
    kind: "object",
    title: "Car",
    zones: [zone(rounded(place(view.body, at)), windows), ...wheels.map(({ tyre }) => zone(tyre))],
    fill: { top: mix(light, "#ffffff", 0.16), bottom: mix(light, "#101318", 0.12) },
    behind: [paint(pane(mood), windows, 0.7)],
    details: [
      paint(mix(light, "#101318", 0.3), [box(view.back, 0.2, view.front, 0.44, at)]),
      paint(mix(light, "#101318", 0.35), [
        box(-0.45, 0.44, -0.41, 0.98, at),
        box(-0.3, 0.8, -0.1, 0.83, at),
        box(0.85, 0.46, 0.88, 0.96, at),
      ]),
      paint(shines(mood) ? "#fff3c4" : "#f3efe0", [box(view.front - 0.22, 0.58, view.front + 0.2, 0.76, at, 0.06)]),
      paint(shines(mood) ? "#ff4a3d" : "#b3272d", [box(view.back - 0.2, 0.66, view.back + 0.18, 0.84, at, 0.05)]),
      paint(
        inLight(mood, "#1b1d22"),
        wheels.map(({ tyre }) => tyre),
      ),
      paint(
        inLight(mood, "#aeb6bf"),
        wheels.map(({ rim }) => rim),
      ),
    ],
  };
}

/** A car from behind, or from its front. */
export function carAlong(random: Chance, mood: Mood, at: Placement, facing: boolean, haze: (colour: string) => string): SceneObject {
  const colour = haze(random.pick(BODY_COLOURS));
  const tall = random.pick([1.42, 1.48, 1.66]);
  const window = rounded(
    place(
      [
        [-0.66, 0.94, 0.06],
        [-0.5, tall - 0.12, 0.1],
        [0.5, tall - 0.12, 0.1],
        [0.66, 0.94, 0.06],
      ],
      at,
    ),
  );
  const wheels = [box(-0.84, 0, -0.56, 0.4, at, 0.05), box(0.56, 0, 0.84, 0.4, at, 0.05)];
  const lamps = [box(-0.86, 0.66, -0.56, 0.84, at, 0.06), box(0.56, 0.66, 0.86, 0.84, at, 0.06)];
  const lamp = facing ? (shines(mood) ? "#fff6d2" : "#eef2ee") : shines(mood) ? "#ff4438" : "#a8232a";
  return {
    kind: "object",
    title: "Car",
    zones: [
      ...wheels.map((tyre) => zone(tyre)),
      zone(
        rounded(
          place(
            [
              [-0.9, 0.24, 0.1],
              [-0.94, 0.86, 0.2],
              [-0.7, tall, 0.24],
              [0.7, tall, 0.24],
              [0.94, 0.86, 0.2],
              [0.9, 0.24, 0.1],
            ],
            at,
          ),
        ),
        [window],
      ),
    ],
    fill: { top: mix(colour, "#ffffff", 0.15), bottom: mix(colour, "#101318", 0.15) },
    behind: [paint(pane(mood), [window], 0.75)],
    details: [
      paint(haze("#1b1d22"), [box(-0.84, 0, -0.56, 0.24, at), box(0.56, 0, 0.84, 0.24, at)]),
      paint(mix(colour, "#101318", 0.35), [box(-0.95, 0.22, 0.95, 0.42, at)]),
      paint(mix(colour, "#ffffff", 0.2), [box(-0.9, 0.88, 0.9, 0.91, at)]),
      paint(lamp, lamps),
      paint(haze("#f7f5ea"), [plateOf(at)]),
    ],
  };
}

/** The number plate of a car seen along the road. */
export function plateOf(at: Placement): Contour {
  return box(-0.26, 0.46, 0.26, 0.6, at);
}

const BUS_COLOURS = ["#c8392f", "#2f7f6b", "#e3a52d", "#3766a8"] as const;

export function busFromTheSide(random: Chance, mood: Mood, at: Placement): SceneObject {
  const light = inLight(mood, random.pick(BUS_COLOURS));
  const panes = [-4.9, -3.45, -2.0, -0.55, 0.9, 2.35].map((left) => box(left, 1.45, left + 1.28, 2.55, at, 0.08));
  const cab = rounded(
    place(
      [
        [4.55, 1.25, 0.06],
        [4.55, 2.6, 0.08],
        [5.2, 2.6, 0.2],
        [5.36, 1.25, 0.06],
      ],
      at,
    ),
  );
  const door = [box(3.75, 0.5, 4.08, 2.5, at, 0.05), box(4.12, 0.5, 4.45, 2.5, at, 0.05)];
  const wheels = [-3.3, 2.95].map((x) => wheel(x, 0.48, at));
  const holes = [...panes, cab, ...door];
  return {
    kind: "object",
    title: "Bus",
    zones: [
      zone(
        rounded(
          place(
            [
              [-5.45, 0.32, 0.15],
              [-5.5, 2.9, 0.3],
              [5.2, 2.95, 0.45],
              [5.5, 1.6, 0.5],
              [5.5, 0.32, 0.2],
            ],
            at,
          ),
        ),
        holes,
      ),
      ...wheels.map(({ tyre }) => zone(tyre)),
    ],
    fill: { top: mix(light, "#ffffff", 0.12), bottom: mix(light, "#101318", 0.1) },
    behind: [paint(shines(mood) ? "#ffe3a3" : pane(mood), holes, 0.85)],
    details: [
      paint(mix(light, "#ffffff", 0.75), [box(-5.6, 1.12, 3.6, 1.28, at)]),
      paint(mix(light, "#101318", 0.4), [box(-5.6, 0.2, 5.6, 0.5, at)]),
      paint(inLight(mood, "#20242b"), [box(-5.3, 2.68, 5.0, 2.8, at)]),
      paint(shines(mood) ? "#fff3c4" : "#f3efe0", [box(5.2, 0.66, 5.6, 0.92, at, 0.08)]),
      paint("#d5322e", [box(-5.6, 0.7, -5.36, 1.0, at, 0.05)]),
      paint(
        inLight(mood, "#1b1d22"),
        wheels.map(({ tyre }) => tyre),
      ),
      paint(
        inLight(mood, "#9aa3ad"),
        wheels.map(({ rim }) => rim),
      ),
    ],
  };
}

export function busFromBehind(random: Chance, mood: Mood, at: Placement, haze: (colour: string) => string): SceneObject {
  const colour = haze(random.pick(BUS_COLOURS));
  const window = box(-1.02, 1.75, 1.02, 2.62, at, 0.12);
  const wheels = [box(-1.12, 0, -0.78, 0.5, at, 0.06), box(0.78, 0, 1.12, 0.5, at, 0.06)];
  return {
    kind: "object",
    title: "Bus",
    zones: [
      ...wheels.map((tyre) => zone(tyre)),
      zone(
        rounded(
          place(
            [
              [-1.24, 0.3, 0.12],
              [-1.26, 2.95, 0.3],
              [1.26, 2.95, 0.3],
              [1.24, 0.3, 0.12],
            ],
            at,
          ),
        ),
        [window],
      ),
    ],
    fill: { top: mix(colour, "#ffffff", 0.12), bottom: mix(colour, "#101318", 0.12) },
    behind: [paint(shines(mood) ? "#ffe3a3" : pane(mood), [window], 0.85)],
    details: [
      paint(haze("#1b1d22"), [box(-1.12, 0, -0.78, 0.3, at), box(0.78, 0, 1.12, 0.3, at)]),
      paint(mix(colour, "#101318", 0.35), [box(-1.3, 0.2, 1.3, 0.55, at)]),
      paint(mix(colour, "#ffffff", 0.7), [box(-1.3, 1.42, 1.3, 1.56, at)]),
      paint(haze("#20242b"), [box(-0.85, 2.7, 0.85, 2.86, at, 0.05)]),
      paint(shines(mood) ? "#ff4438" : "#a8232a", [box(-1.18, 0.8, -0.94, 1.2, at, 0.05), box(0.94, 0.8, 1.18, 1.2, at, 0.05)]),
      paint(haze("#f7f5ea"), [plateOf(at)]),
    ],
  };
}
