/** What makes a request impossible to paint; decided before memory is taken for it. */
import { countDeltas } from "../../proto/deltas.js";
import { ColourMode, type Contour, type MaskRequested } from "../../proto/gen/maskline/v1/pipeline.js";
import type { RejectCode } from "../../proto/outcomes.js";
import { countEdgeRows } from "./bands.js";
import { contoursOf, type Scene } from "./scene.js";
import type { MaskLimits } from "./settings.js";

export interface Refusal {
  readonly code: RejectCode;
  /** For people. */
  readonly reason: string;
}

/** Looks at a request as it came; undefined: nothing is wrong. */
export function checkRequest(message: MaskRequested, limits: MaskLimits): Refusal | undefined {
  return checkSize(message, limits) ?? checkShapes(message);
}

/** Looks at what painting would cost; undefined: no more than is allowed. */
export function checkCost(scene: Scene, limits: MaskLimits): Refusal | undefined {
  const edgeRows = countEdgeRows(contoursOf(scene), scene.height);
  if (edgeRows <= limits.edgeRows) return undefined;
  return {
    code: "over_limit",
    reason: `its edges cross ${edgeRows} image rows in sum; this installation paints ${limits.edgeRows} (EDGE_ROW_LIMIT)`,
  };
}

function checkSize({ width, height }: MaskRequested, { imagePixels, imageSide }: MaskLimits): Refusal | undefined {
  const size = `it is ${width} x ${height} pixels`;
  if (width === 0 || height === 0) return { code: "no_size", reason: `${size}, which is no image` };
  if (Math.max(width, height) > imageSide) {
    return { code: "over_limit", reason: `${size}; this installation paints ${imageSide} a side (IMAGE_SIDE_LIMIT)` };
  }
  if (width * height > imagePixels) {
    return { code: "over_limit", reason: `${size}; this installation paints ${imagePixels} an image (IMAGE_PIXEL_LIMIT)` };
  }
  return undefined;
}

function checkShapes({ mode, shapes }: MaskRequested): Refusal | undefined {
  if (mode !== ColourMode.GRAY && mode !== ColourMode.RGB) {
    return { code: "failed", reason: `the colour mode ${mode} is unknown; filter and rasterizer may be of different versions` };
  }
  const [least, most] = mode === ColourMode.GRAY ? [1, 0xff] : [0, 0xffffff];
  for (const [index, { value, zones }] of shapes.entries()) {
    const object = `object ${index + 1} of those to be painted`;
    if (value < least || value > most) return { code: "failed", reason: `${object} has the value ${value}; allowed: ${least} to ${most}` };
    const wrong = zones.flatMap(({ region, holes }) => [region, ...holes]).find((contour) => contour && !isWhole(contour));
    if (wrong) {
      const count = countDeltas(wrong.deltas);
      const what = count === undefined ? "bytes that are no 32-bit numbers" : `${count} numbers, which are no pairs of x and y`;
      return { code: "bad_geometry", reason: `${object} has a contour of ${what}` };
    }
  }
  return undefined;
}

function isWhole({ deltas }: Contour): boolean {
  const count = countDeltas(deltas);
  return count !== undefined && count % 2 === 0;
}
