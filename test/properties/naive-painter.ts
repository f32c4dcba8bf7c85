/**
 * The pixel rules of docs/fill-semantics.md, written down as they stand there: pixel by pixel, row by row, without any thought of speed. What the
 * real painter is compared with.
 */
import type { Points } from "../../services/rasterizer/points.js";
import type { Scene } from "../../services/rasterizer/scene.js";

type Point = readonly [x: number, y: number];

/** Labels of all pixels, row by row. */
export function naivePaint({ width, height, objects }: Scene): Int32Array {
  const image = new Int32Array(width * height);
  for (const { label, zones } of objects) {
    const before = image.slice();
    for (const { region, holes } of zones) {
      fill(region, width, height, (pixel) => {
        image[pixel] = label;
      });
      for (const hole of holes) {
        fill(hole, width, height, (pixel) => {
          image[pixel] = before[pixel] ?? 0;
        });
      }
    }
  }
  return image;
}

function fill(points: Points, width: number, height: number, paint: (pixel: number) => void): void {
  const contour: Point[] = [];
  for (let i = 0; i < points.length; i += 2) contour.push([points[i] ?? 0, points[i + 1] ?? 0]);
  const edges = contour.map((end, i): readonly [Point, Point] => [contour.at(i - 1) ?? end, end]);
  for (const [from, to] of edges) {
    const { visible, ends } = clip(from, to, width, height);
    if (visible) drawLine(ends[0], ends[1], (x, y) => paint(y * width + x));
  }
  for (let y = 0; y < height; y++) {
    const crossings = edges.flatMap(([from, to]) => crossing(from, to, y, width, height)).sort((a, b) => a - b);
    for (let pair = 0; pair < crossings.length; pair += 2) {
      const left = Math.max(0, Math.ceil((crossings[pair] ?? 0) / 65536));
      const right = Math.min(width - 1, Math.floor((crossings[pair + 1] ?? 0) / 65536));
      for (let x = left; x <= right; x++) paint(y * width + x);
    }
  }
}

const isInside = ([x, y]: Point, width: number, height: number) => x >= 0 && x < width && y >= 0 && y < height;

/** Section 3a. */
function clip(from: Point, to: Point, width: number, height: number): { visible: boolean; ends: readonly [Point, Point] } {
  const untouched = [from, to] as const;
  if (isInside(from, width, height) && isInside(to, width, height)) return { visible: true, ends: untouched };
  const right = width - 1;
  const bottom = height - 1;
  const isAbove = (y: number) => y < 0;
  const isBelow = (y: number) => y > bottom;
  const isLeft = (x: number) => x < 0;
  const isRight = (x: number) => x > right;
  let [x1, y1] = from;
  let [x2, y2] = to;
  if ((isAbove(y1) && isAbove(y2)) || (isBelow(y1) && isBelow(y2))) return { visible: false, ends: untouched };
  if ((isLeft(x1) && isLeft(x2)) || (isRight(x1) && isRight(x2))) return { visible: false, ends: untouched };
  if (isAbove(y1) || isBelow(y1)) {
    const t = isAbove(y1) ? 0 : bottom;
    x1 += Math.trunc(((t - y1) * (x2 - x1)) / (y2 - y1));
    y1 = t;
  }
  if (isAbove(y2) || isBelow(y2)) {
    const t = isAbove(y2) ? 0 : bottom;
    x2 += Math.trunc(((t - y2) * (x2 - x1)) / (y2 - y1));
    y2 = t;
  }
  if ((isLeft(x1) && isLeft(x2)) || (isRight(x1) && isRight(x2))) {
    return {
      visible: false,
      ends: [
        [x1, y1],
        [x2, y2],
      ],
    };
  }
  if (isLeft(x1) || isRight(x1)) {
    const t = isLeft(x1) ? 0 : right;
    y1 += Math.trunc(((t - x1) * (y2 - y1)) / (x2 - x1));
    x1 = t;
  }
  if (isLeft(x2) || isRight(x2)) {
    const t = isLeft(x2) ? 0 : right;
    y2 += Math.trunc(((t - x2) * (y2 - y1)) / (x2 - x1));
    x2 = t;
  }
  return {
    visible: true,
    ends: [
      [x1, y1],
      [x2, y2],
    ],
  };
}

/** Section 3b. */
function drawLine(from: Point, to: Point, paint: (x: number, y: number) => void): void {
  const [[x1, y1], [x2, y2]] = to[0] < from[0] ? [to, from] : [from, to];
  const dx = x2 - x1;
  const dy = Math.abs(y2 - y1);
  const s = Math.sign(y2 - y1);
  if (dx === 0 && dy === 0) paint(x1, y1);
  else if (dy <= dx) for (let j = 0; j <= dx; j++) paint(x1 + j, y1 + s * Math.floor((2 * dy * j + dx - 1) / (2 * dx)));
  else for (let j = 0; j <= dy; j++) paint(x1 + Math.floor((2 * dx * j + dy - 1) / (2 * dy)), y1 + s * j);
}

/** Section 4: the X of an edge on row y, or none. */
function crossing(from: Point, to: Point, y: number, width: number, height: number): number[] {
  const [x1, y1] = from;
  const [x2, y2] = to;
  const top = Math.min(y1, y2);
  if (y1 === y2 || y < top || y >= Math.max(y1, y2)) return [];
  if (isInside(from, width, height) && isInside(to, width, height)) {
    const d = Math.trunc(((x2 - x1) * 65536) / (y2 - y1));
    return [65536 * (y1 < y2 ? x1 : x2) + (y - top) * d];
  }
  const [[cx1, clippedY1], [cx2, clippedY2]] = clip(from, to, width, height).ends;
  const [cy1, cy2] = clippedY1 === clippedY2 ? [y1, y2] : [clippedY1, clippedY2];
  const d = Math.trunc((65536 * (cx2 - cx1)) / (cy2 - cy1));
  const [cx, cy] = y1 < y2 ? [cx1, cy1] : [cx2, cy2];
  return [65536 * cx + (y - cy) * d];
}
