/** What lies behind and over the street, never annotated: sky, sun, clouds, a far skyline, rain and snow. */
import { inHaze, type Mood, mix } from "./moods.js";
import { type Layer, paint } from "./scene.js";
import { type Chance, type Contour, cloud, ellipse, point, rectangle } from "./shapes.js";

export const WIDTH = 640;
export const HEIGHT = 360;

/** Sky with sun or moon, stars, clouds; then hills or far roofs on the horizon. */
export function sky(random: Chance, mood: Mood, horizon: number): Layer[] {
  const layers: Layer[] = [paint(mood.sky, [rectangle(0, 0, WIDTH, HEIGHT)])];
  if (mood.stars) {
    const stars = Array.from({ length: 46 }, () =>
      ellipse(random.between(0, WIDTH), random.between(0, horizon * 0.8), random.between(0.5, 1.2), undefined, 6),
    );
    layers.push(paint("#fdf6dd", stars, mood.sun ? 0.85 : 0.5));
  }
  if (mood.sun) {
    const { radius, colour } = mood.sun;
    const [x, y] = [mood.sun.x + random.between(-60, 60), Math.min(mood.sun.y, horizon - 20)];
    layers.push({ kind: "glow", centre: [x, y], radius: radius * 5, colour, opacity: mood.stars ? 0.35 : 0.7 });
    layers.push(paint(colour, [ellipse(x, y, radius, undefined, 32)], 0.95));
  }
  const clouds = mood.stars && mood.sun ? 1 : random.whole(2, 4);
  for (let index = 0; index < clouds; index++) {
    const [x, y, size] = [random.between(30, WIDTH - 30), random.between(20, horizon * 0.62), random.between(34, 72)];
    const shape = cloud(random, x, y, size, size * 0.3, 8);
    layers.push(paint(mix("#ffffff", mood.sky.top, mood.stars ? 0.7 : 0.12), [shape], mood.falling ? 0.35 : 0.6));
  }
  layers.push(random.happens(0.5) ? hills(random, mood, horizon, 0.74, 34) : farRoofs(random, mood, horizon));
  layers.push(hills(random, mood, horizon, 0.58, 15));
  return layers;
}

function hills(random: Chance, mood: Mood, horizon: number, haze: number, height: number): Layer {
  const phase = random.between(0, 6);
  const ridge = Array.from({ length: 33 }, (_, step) => {
    const x = (step / 32) * WIDTH;
    return point(x, horizon - height * (0.55 + 0.3 * Math.sin(phase + x / 95) + 0.15 * Math.sin(phase * 2 + x / 37)));
  });
  return paint(inHaze(mood, "#4f7d69", haze), [[...ridge, point(WIDTH, horizon + 3), point(0, horizon + 3)]]);
}

function farRoofs(random: Chance, mood: Mood, horizon: number): Layer {
  const outline: Contour[] = [];
  for (let x = 0; x < WIDTH; ) {
    const width = random.between(16, 44);
    outline.push([point(x, horizon - random.between(14, 62)), point(x + width, 0)]);
    x += width;
  }
  const roofs = outline.flatMap(([from, to]) => (from && to ? [from, point(to[0], from[1])] : []));
  return paint(inHaze(mood, "#6f7f92", 0.7), [[point(0, horizon + 2), ...roofs, point(WIDTH + 44, horizon + 2)]]);
}

/** Rain or snow in front of everything. */
export function weather(random: Chance, mood: Mood): Layer[] {
  if (mood.falling === "rain") {
    const streaks = Array.from({ length: 130 }, () => {
      const [x, y, length] = [random.between(-10, WIDTH), random.between(-10, HEIGHT), random.between(9, 22)];
      return [point(x, y), point(x + 0.9, y), point(x + 0.9 - length * 0.28, y + length), point(x - length * 0.28, y + length)];
    });
    return [paint("#dfe9f0", streaks, 0.4)];
  }
  if (mood.falling === "snow") {
    const flakes = Array.from({ length: 120 }, () =>
      ellipse(random.between(0, WIDTH), random.between(0, HEIGHT), random.between(0.8, 2.1), undefined, 7),
    );
    return [paint("#ffffff", flakes, 0.8)];
  }
  return [];
}
