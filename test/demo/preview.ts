/** A contact sheet of an archive: pictures, their masks in visible colours, and both together, with a legend. */
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import sharp, { type OverlayOptions } from "sharp";
import { type ClassValue, classMapping, readArchive } from "../support/archive.js";
import { fitText, lettering, textWidth } from "./lettering.js";

export interface PreviewOptions {
  /** The zip of masks. */
  readonly archive: string;
  /** Pictures by the name in their asset's URL. */
  readonly imagesFolder: string;
  /** The export as NDJSON. */
  readonly exportFile: string;
  /** The project, for the classes' colours. */
  readonly projectFile: string;
  /** The PNG to write. */
  readonly out: string;
}

type Rgb = readonly [number, number, number];

interface PaintedClass {
  readonly title: string;
  readonly value: ClassValue;
  readonly colour: Rgb;
}

interface Example {
  readonly picture: string;
  readonly mask: Buffer;
  readonly title: string;
  readonly file: string;
}

const WIDTH = 1600;
const MARGIN = 48;
const GAP = 8;
/** Whole pixels, and 16:9 exactly. */
const PANEL_WIDTH = 496;
const PANEL_HEIGHT = 279;
const CAPTION = 38;
const ROW = PANEL_HEIGHT + CAPTION + 14;
const EXAMPLES = 8;
const PAPER = "#f7f5f0";
const INK = "#20242c";
const FAINT = "#7b8290";
const BACKGROUND: Rgb = [24, 27, 34];
/** How much of the mask's colour lies over the picture. */
const BLEND = 0.58;
const FALLBACK_COLOURS = ["#4e79a7", "#f28e2b", "#e15759", "#76b7b2", "#59a14f", "#edc948", "#b07aa1", "#ff9da7", "#9c755f", "#bab0ac"];

/** Writes the contact sheet. */
export async function writePreview({ archive, imagesFolder, exportFile, projectFile, out }: PreviewOptions): Promise<void> {
  const entries = await readArchive(archive);
  const classes = paintedClasses(classMapping(entries), await colours(projectFile));
  const examples = await listExamples(entries, imagesFolder, exportFile);
  const masks = [...entries.keys()].filter((name) => name.endsWith(".png")).length;
  const head = header(classes, `${examples.length} of ${masks} masks`, basename(archive));
  const height = head.height + examples.length * ROW + MARGIN - 14;
  const panels = await Promise.all(examples.map((example, row) => rowPanels(example, classes, head.height + row * ROW)));
  const captions = examples.map((example, row) => caption(example, head.height + row * ROW)).join("");
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}"><rect width="100%" height="100%" fill="${PAPER}"/>${head.svg}${captions}</svg>`;
  await sharp(Buffer.from(svg)).composite(panels.flat()).png({ compressionLevel: 9 }).toFile(out);
}

function parseColour(text: string): Rgb {
  const value = Number.parseInt(text.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

const hex = (colour: Rgb) => `#${colour.map((channel) => channel.toString(16).padStart(2, "0")).join("")}`;

/** Colours by class title, as the project has them. */
async function colours(projectFile: string): Promise<ReadonlyMap<string, string>> {
  const project = JSON.parse(await readFile(projectFile, "utf8")) as { categorySchema?: { tools?: { title: string; color?: string }[] } };
  const tools = project.categorySchema?.tools ?? [];
  return new Map(tools.flatMap(({ title, color }) => (/^#[0-9a-f]{6}$/i.test(color ?? "") && color ? [[title, color] as const] : [])));
}

function paintedClasses(mapping: ReadonlyMap<string, ClassValue>, known: ReadonlyMap<string, string>): PaintedClass[] {
  return [...mapping].map(([title, value], index) => ({
    title,
    value,
    colour: parseColour(known.get(title) ?? FALLBACK_COLOURS[index % FALLBACK_COLOURS.length] ?? "#888888"),
  }));
}

/** The first assets of the export that have something painted in the archive. */
async function listExamples(entries: ReadonlyMap<string, Buffer>, imagesFolder: string, exportFile: string): Promise<Example[]> {
  const lines = (await readFile(exportFile, "utf8")).split("\n").filter((line) => line !== "");
  const examples: Example[] = [];
  for (const line of lines) {
    if (examples.length === EXAMPLES) break;
    const row = JSON.parse(line) as { asset: string; externalId: string; task?: { taskId?: string; tools?: unknown[] } };
    const file = `${row.task?.taskId}.png`;
    const mask = entries.get(file);
    const picture = join(imagesFolder, basename(new URL(row.asset).pathname));
    if (mask && row.task?.tools?.length) examples.push({ picture, mask, title: row.externalId, file });
  }
  return examples;
}

/** Which colour each pixel of a mask is shown in, by its value: gray, or red, green and blue packed. */
function lookup(classes: readonly PaintedClass[]): ReadonlyMap<number, Rgb> {
  return new Map(classes.map(({ value, colour }) => [typeof value === "number" ? value : pack(value[0], value[1], value[2]), colour]));
}

const pack = (red: number, green: number, blue: number) => (red << 16) | (green << 8) | blue;

/** The mask in visible colours: three bytes a pixel, and one more that tells whether a class is there. */
async function colourMask(mask: Buffer, classes: readonly PaintedClass[]): Promise<{ rgba: Buffer; width: number; height: number }> {
  const gray = classes.every(({ value }) => typeof value === "number");
  const image = sharp(mask)
    .toColourspace(gray ? "b-w" : "srgb")
    .removeAlpha();
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  const colourOf = lookup(classes);
  const rgba = Buffer.alloc(info.width * info.height * 4);
  for (let pixel = 0; pixel < info.width * info.height; pixel++) {
    const at = pixel * info.channels;
    const value = gray ? (data[at] ?? 0) : pack(data[at] ?? 0, data[at + 1] ?? 0, data[at + 2] ?? 0);
    const colour = colourOf.get(value);
    rgba.set(colour ?? BACKGROUND, pixel * 4);
    rgba[pixel * 4 + 3] = colour ? 255 : 0;
  }
  return { rgba, width: info.width, height: info.height };
}

async function rowPanels({ picture, mask }: Example, classes: readonly PaintedClass[], top: number): Promise<OverlayOptions[]> {
  const { rgba, width, height } = await colourMask(mask, classes);
  const raw = { raw: { width, height, channels: 4 as const } };
  const photo = await sharp(picture).removeAlpha().resize(width, height, { fit: "fill" }).toBuffer();
  const opaque = await sharp(rgba, raw).removeAlpha().png().toBuffer();
  const veil = Buffer.from(rgba);
  for (let at = 3; at < veil.length; at += 4) veil[at] = Math.round((veil[at] ?? 0) * BLEND);
  const blend = await sharp(photo)
    .composite([{ input: veil, ...raw }])
    .png()
    .toBuffer();
  return Promise.all(
    [photo, opaque, blend].map(async (input, column) => ({
      input: await panel(input),
      left: MARGIN + column * (PANEL_WIDTH + GAP),
      top,
    })),
  );
}

/** A picture in the size of its place, with round corners. */
async function panel(input: Buffer): Promise<Buffer> {
  const [width, height] = [PANEL_WIDTH, PANEL_HEIGHT];
  const corners = Buffer.from(
    `<svg width="${width}" height="${height}"><rect width="${width}" height="${height}" rx="7" fill="#fff"/></svg>`,
  );
  const resized = await sharp(input)
    .resize(width, height, { fit: "contain", background: hex(BACKGROUND) })
    .ensureAlpha()
    .png()
    .toBuffer();
  return sharp(resized)
    .composite([{ input: corners, blend: "dest-in" }])
    .png()
    .toBuffer();
}

function caption({ title, file }: Example, top: number): string {
  const baseline = top + PANEL_HEIGHT + 24;
  const write = (text: string, column: number, colour: string) =>
    lettering(fitText(text, PANEL_WIDTH, 12), MARGIN + column * (PANEL_WIDTH + GAP) + 2, baseline, { height: 12, colour });
  return write(title, 0, INK) + write(file, 1, FAINT) + write("mask over picture", 2, FAINT);
}

/** Title, what the sheet shows, and the legend. */
function header(classes: readonly PaintedClass[], masks: string, archive: string): { svg: string; height: number } {
  const parts = [
    lettering("Maskline", MARGIN, 86, { height: 36, colour: INK, weight: 0.13 }),
    lettering(`${masks} in ${archive}: picture, mask, and both. Class values are shown in the project's colours.`, MARGIN, 122, {
      height: 14,
      colour: FAINT,
    }),
  ];
  const chips = [
    { text: "0  background", colour: hex(BACKGROUND) },
    ...classes.map(({ title, value, colour }) => ({
      text: `${typeof value === "number" ? value : hex(value)}  ${title}`,
      colour: hex(colour),
    })),
  ];
  let [x, y] = [MARGIN, 158];
  for (const { text, colour } of chips) {
    const shown = fitText(text, 300, 13);
    const width = 30 + textWidth(shown, 13) + 30;
    if (x + width - 30 > WIDTH - MARGIN) [x, y] = [MARGIN, y + 36];
    parts.push(
      `<rect x="${x}" y="${y - 1}" width="20" height="20" rx="5" fill="${colour}" stroke="#00000026"/>`,
      lettering(shown, x + 30, y + 15.5, { height: 13, colour: INK }),
    );
    x += width;
  }
  return { svg: parts.join(""), height: y + 52 };
}
