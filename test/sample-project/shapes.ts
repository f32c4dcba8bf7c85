/** Plain geometry of the sample pictures: points in pixels, origin top left, y down. Pure and repeatable: all chance comes from a seed. */

export type Point = readonly [x: number, y: number];
export type Contour = readonly Point[];

/** One region and what is cut out of it. */
export interface Zone {
  readonly region: Contour;
  readonly holes: readonly Contour[];
}

/** Chance from a seed: the same seed gives the same picture on every machine. */
export interface Chance {
  /** A number from `low` up to `high`. */
  between(low: number, high: number): number;
  /** A whole number from `low` to `high`, both included. */
  whole(low: number, high: number): number;
  /** True in `share` of all cases. */
  happens(share: number): boolean;
  pick<const T>(options: readonly [T, ...T[]]): T;
}

/** Mulberry32: 32 bits of state, good enough for pictures. */
export function chance(seed: number): Chance {
  let state = seed >>> 0;
  const unit = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    between: (low, high) => low + (high - low) * unit(),
    whole: (low, high) => low + Math.floor(unit() * (high - low + 1)),
    happens: (share) => unit() < share,
    pick: (options) => options[Math.floor(unit() * options.length)] ?? options[0],
  };
}

/** Tenths of a pixel: what picture and annotation share. */
export function round(value: number): number {
  return Math.round(value * 10) / 10 + 0;
}

export function point(x: number, y: number): Point {
  return [round(x), round(y)];
}

export function rectangle(left: number, top: number, right: number, bottom: number): Contour {
  return [point(left, top), point(right, top), point(right, bottom), point(left, bottom)];
}

export function ellipse(x: number, y: number, radiusX: number, radiusY = radiusX, steps = 16): Contour {
  return Array.from({ length: steps }, (_, step) => {
    const angle = (step / steps) * 2 * Math.PI;
    return point(x + Math.cos(angle) * radiusX, y + Math.sin(angle) * radiusY);
  });
}

/** A regular polygon with a corner at `turn` (radians, clockwise from the right). */
export function regular(x: number, y: number, radius: number, corners: number, turn: number): Contour {
  return Array.from({ length: corners }, (_, corner) => {
    const angle = turn + (corner / corners) * 2 * Math.PI;
    return point(x + Math.cos(angle) * radius, y + Math.sin(angle) * radius);
  });
}

/** A corner and how much it is rounded off, in the same unit. */
export type Corner = readonly [x: number, y: number, radius?: number];

/** Steps of a rounded corner: as many as somebody would click. */
const arcSteps = (radius: number) => (radius < 1 ? 1 : radius < 3 ? 2 : 4);

/** A polygon whose corners are rounded off by quadratic curves. */
export function rounded(corners: readonly Corner[]): Contour {
  return corners.flatMap((corner, index) => {
    const [x, y, radius = 0] = corner;
    const before = corners.at(index - 1) ?? corner;
    const after = corners[(index + 1) % corners.length] ?? corner;
    if (radius === 0) return [point(x, y)];
    const from = towards(corner, before, radius);
    const to = towards(corner, after, radius);
    const steps = arcSteps(radius);
    return Array.from({ length: steps + 1 }, (_, step) => {
      const t = step / steps;
      const [a, b, c] = [(1 - t) * (1 - t), 2 * t * (1 - t), t * t];
      return point(a * from[0] + b * x + c * to[0], a * from[1] + b * y + c * to[1]);
    });
  });
}

function towards([x, y]: Corner, [otherX, otherY]: Corner, distance: number): Point {
  const length = Math.hypot(otherX - x, otherY - y);
  const share = Math.min(distance / length, 0.5);
  return [x + (otherX - x) * share, y + (otherY - y) * share];
}

/** The outline of circles that all reach over (x, y): a cloud, or the crown of a tree. `wobble` is how uneven it is, 0..1. */
export function cloud(random: Chance, x: number, y: number, radiusX: number, radiusY: number, lobes: number, wobble = 0.25): Contour {
  const circles = Array.from({ length: lobes }, (_, lobe) => {
    const angle = ((lobe + random.between(-wobble, wobble)) / lobes) * 2 * Math.PI;
    const distance = random.between(0.5, 0.62);
    return { x: Math.cos(angle) * distance, y: Math.sin(angle) * distance, radius: random.between(0.38, 0.5) };
  });
  const steps = Math.max(10, Math.min(lobes * 6, Math.round(radiusX * 1.5)));
  return Array.from({ length: steps }, (_, step) => {
    const angle = (step / steps) * 2 * Math.PI;
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    const reach = Math.max(0.5, ...circles.map((circle) => farthest(circle, cos, sin)));
    return point(x + cos * reach * radiusX, y + sin * reach * radiusY);
  });
}

/** Where the ray from the origin leaves a circle; 0 when it misses. */
function farthest({ x, y, radius }: { x: number; y: number; radius: number }, cos: number, sin: number): number {
  const along = x * cos + y * sin;
  const square = radius * radius - (x * x + y * y - along * along);
  return square < 0 ? 0 : along + Math.sqrt(square);
}

/** Moves drawings in metres (y up, origin on the ground) to the picture. */
export interface Placement {
  readonly x: number;
  readonly y: number;
  /** Pixels per metre. */
  readonly scale: number;
  /** Looks to the left instead of to the right. */
  readonly mirrored?: boolean;
}

export function place(corners: readonly Corner[], { x, y, scale, mirrored = false }: Placement): Corner[] {
  const side = mirrored ? -scale : scale;
  return corners.map(([right, up, radius = 0]) => [x + right * side, y - up * scale, radius * scale]);
}

/** The smallest upright rectangle around contours. */
export function bounds(contours: readonly Contour[]): { left: number; top: number; right: number; bottom: number } {
  const points = contours.flat();
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  return { left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs), bottom: Math.max(...ys) };
}
