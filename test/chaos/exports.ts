/** The exports that chaos is run on: rows of every kind that takes another way through the services, small, so that the ways count and not the painting. */
import { PROJECT } from "../pipeline/pipeline.js";
import { polygon, row, segmentation, square } from "../pipeline/rows.js";
import { image } from "../support/images.js";

/** One of Hub's projects, and what its archive has to hold. */
export interface ChaosProject {
  readonly project: typeof PROJECT;
  readonly rows: readonly object[];
  readonly images: Readonly<Record<string, Buffer>>;
  readonly masks: number;
}

/** One in so many assets... */
const EVERY = {
  /** ...is skipped by a rule, */
  skipped: 11,
  /** ...can not be had the size of, and is rejected, */
  rejected: 97,
  /** ...does not tell its size, so that the filter waits for its image, */
  sizeless: 10,
  /** ...does not fit into a message, and travels as a blob, */
  blob: 250,
  /** ...takes a rasterizer some milliseconds. */
  large: 25,
} as const;

const WIDTH = 16;
const HEIGHT = 12;
const MANY_POINTS = Array.from({ length: 20_000 }, (_, index) => [(index * 7) % WIDTH, (index * 5) % HEIGHT]);

type Kind = keyof typeof EVERY | "plain";

function kindOf(index: number): Kind {
  const kinds = Object.keys(EVERY) as (keyof typeof EVERY)[];
  return kinds.find((kind) => index % EVERY[kind] === EVERY[kind] - 1) ?? "plain";
}

function assetRow(id: string, index: number): object {
  const kind = kindOf(index);
  const road = polygon("Road", "road", square(index % 9, index % 5, 4));
  switch (kind) {
    case "skipped":
      return row({ id, tools: [road], standing: "untouched" });
    case "rejected":
      return { ...row({ id, tools: [road], size: null }), asset: "https://hub.invalid/images/missing.png" };
    case "sizeless":
      return { ...row({ id, tools: [road], size: null }), asset: "https://hub.invalid/images/small.png" };
    case "blob":
      return row({ id, tools: [polygon("Tree", "tree", MANY_POINTS)] });
    case "large":
      return row({ id, tools: [polygon("Road", "road", star(1_920, 1_080, 200 + (index % 50)))], size: [1_920, 1_080] });
    case "plain":
      return row({ id, tools: [road, segmentation("Car", "car", { region: square(2, 2, 5), holes: [square(3, 3, 1)] })] });
  }
}

/** Long edges in all directions over the whole image. */
function star(width: number, height: number, corners: number): number[][] {
  return Array.from({ length: corners }, (_, at) => {
    const angle = (at * 2 * Math.PI * 7) / corners;
    const reach = at % 2 === 0 ? 0.49 : 0.2;
    return [width * (0.5 + reach * Math.cos(angle)), height * (0.5 + reach * Math.sin(angle))];
  });
}

/** Projects with exports of their own, of so many assets each. */
export async function chaosProjects(count: number, assets: number): Promise<readonly ChaosProject[]> {
  const small = await image("png", { width: WIDTH, height: HEIGHT });
  return Array.from({ length: count }, (_, at) => {
    const project = { ...PROJECT, _id: `${at}`.padStart(24, "0"), name: `Chaos ${at}` };
    const rows = Array.from({ length: assets }, (_, index) => assetRow(`task-${at}-${index}`, index + at));
    const masks = rows.filter((_, index) => !["skipped", "rejected"].includes(kindOf(index + at))).length;
    return { project, rows, images: { "small.png": small }, masks };
  });
}
