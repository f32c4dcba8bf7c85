/** From a scene to its picture: SVG, then WebP by sharp. */
import sharp from "sharp";
import type { Fill, Layer, Paint, Scene } from "./scene.js";
import type { Contour, Zone } from "./shapes.js";

const path = (contours: readonly Contour[]) => contours.map((contour) => `M${contour.map(([x, y]) => `${x} ${y}`).join("L")}Z`).join("");
const zonePath = ({ region, holes }: Zone) => path([region, ...holes]);

interface Definitions {
  readonly texts: string[];
}

function add(definitions: Definitions, write: (id: string) => string): string {
  const id = `d${definitions.texts.length}`;
  definitions.texts.push(write(id));
  return `url(#${id})`;
}

function fillOf(definitions: Definitions, fill: Fill): string {
  if (typeof fill === "string") return fill;
  return add(
    definitions,
    (id) =>
      `<linearGradient id="${id}" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="${fill.top}"/><stop offset="1" stop-color="${fill.bottom}"/></linearGradient>`,
  );
}

function paintSvg(definitions: Definitions, { contours, fill, opacity }: Paint): string {
  return `<path d="${path(contours)}" fill="${fillOf(definitions, fill)}" fill-rule="evenodd" fill-opacity="${opacity}"/>`;
}

function layerSvg(definitions: Definitions, layer: Layer): string {
  if (layer.kind === "paint") return paintSvg(definitions, layer);
  if (layer.kind === "glow") {
    const { centre, radius, colour, opacity } = layer;
    const fill = add(
      definitions,
      (id) =>
        `<radialGradient id="${id}"><stop offset="0" stop-color="${colour}" stop-opacity="${opacity}"/><stop offset="0.35" stop-color="${colour}" stop-opacity="${opacity * 0.4}"/><stop offset="1" stop-color="${colour}" stop-opacity="0"/></radialGradient>`,
    );
    return `<circle cx="${centre[0]}" cy="${centre[1]}" r="${radius}" fill="${fill}"/>`;
  }
  const behind = layer.behind.map((paint) => paintSvg(definitions, paint)).join("");
  const fill = fillOf(definitions, layer.fill);
  const details = layer.details.map((paint) => paintSvg(definitions, paint)).join("");
  // Zone by zone: renderers disagree about clip paths whose parts overlap.
  return behind + layer.zones.map((zone) => zoneSvg(definitions, zonePath(zone), fill, details)).join("");
}

function zoneSvg(definitions: Definitions, outline: string, fill: string, details: string): string {
  const body = `<path d="${outline}" fill="${fill}" fill-rule="evenodd"/>`;
  if (details === "") return body;
  const clip = add(definitions, (id) => `<clipPath id="${id}"><path d="${outline}" clip-rule="evenodd"/></clipPath>`);
  return `${body}<g clip-path="${clip}">${details}</g>`;
}

/** The scene as an SVG document. It holds no text, so no font is needed. */
export function sceneSvg({ width, height, layers }: Scene): string {
  const definitions: Definitions = { texts: [] };
  const body = layers.map((layer) => layerSvg(definitions, layer)).join("\n");
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"><defs>${definitions.texts.join("")}</defs>\n${body}</svg>`;
}

export function renderWebp(scene: Scene): Promise<Buffer> {
  return sharp(Buffer.from(sceneSvg(scene)))
    .webp({ quality: 82, effort: 6 })
    .toBuffer();
}
