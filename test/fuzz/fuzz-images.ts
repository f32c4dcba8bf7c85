/** Mutated images through the reading of their size, with as much of a file as it asks for. */
import assert from "node:assert/strict";
import sharp from "sharp";
import { type ImageHead, type Measured, measureImage } from "../../services/filter/image-header.js";
import { type Dice, dice } from "./dice.js";
import { mutateBytes } from "./mutate.js";
import { Ends, type Heartbeat, type Tally } from "./tally.js";

const SIZE = { width: 37, height: 23 };
/** As the filter reads: it gives up after so many pieces. */
const MOST_READS = 12;
const FIRST_BYTES = 256;

interface Sound {
  readonly format: string;
  readonly file: Buffer;
}

/** Tries mutants `from` to `end` of the seed. @throws Error that names the first mutant that breaks a promise. */
export async function fuzzImages(seed: number, from: number, end: number, beat: Heartbeat): Promise<Tally> {
  const ends = new Ends();
  const sounds = await soundImages();
  for (let number = from; number < end; number++) {
    beat(number);
    const startedAt = performance.now();
    try {
      ends.add(tryImage(dice(seed, "images", number), sounds));
    } catch (cause) {
      throw new Error(`mutant images/${number} of seed ${seed}`, { cause });
    }
    ends.took(number, performance.now() - startedAt);
  }
  return ends.tally();
}

async function soundImages(): Promise<[Sound, ...Sound[]]> {
  const image = sharp({ create: { ...SIZE, channels: 3, background: "#804080" } });
  const made = async (format: "png" | "jpeg" | "webp" | "tiff" | "gif"): Promise<Sound> => ({
    format,
    file: await image
      .clone()
      .toFormat(format)
      .withExif({ IFD0: { Copyright: "x".repeat(300) } })
      .toBuffer(),
  });
  const [png, ...others] = await Promise.all([made("png"), made("jpeg"), made("webp"), made("tiff"), made("gif")]);
  return [png as Sound, ...others, { format: "bmp", file: bitmap() }, { format: "dicom", file: dicom() }];
}

/** A BITMAPFILEHEADER and a BITMAPINFOHEADER, without pixels. */
function bitmap(): Buffer {
  const file = Buffer.alloc(54);
  file.write("BM", 0, "latin1");
  file.writeUInt32LE(40, 14);
  file.writeInt32LE(SIZE.width, 18);
  file.writeInt32LE(SIZE.height, 22);
  return file;
}

/** A preamble, the transfer syntax "explicit little endian", rows and columns (DICOM PS3.10 section 7). */
function dicom(): Buffer {
  const element = (group: number, number: number, type: string, value: Buffer) => {
    const head = Buffer.alloc(8);
    head.writeUInt16LE(group, 0);
    head.writeUInt16LE(number, 2);
    head.write(type, 4, "latin1");
    head.writeUInt16LE(value.length, 6);
    return Buffer.concat([head, value]);
  };
  const short = (value: number) => Buffer.from([value & 0xff, value >> 8]);
  const syntax = element(2, 0x10, "UI", Buffer.from("1.2.840.10008.1.2.1\0"));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(syntax.length);
  return Buffer.concat([
    Buffer.alloc(128),
    Buffer.from("DICM"),
    element(2, 0, "UL", length),
    syntax,
    element(0x28, 0x10, "US", short(SIZE.height)),
    element(0x28, 0x11, "US", short(SIZE.width)),
    element(0x28, 0x100, "US", short(8)),
  ]);
}

function tryImage(random: Dice, sounds: readonly [Sound, ...Sound[]]): string {
  const { format, file } = random.pick(sounds);
  if (random.chance(0.1)) {
    assert.deepEqual(measured(file), { size: SIZE }, `a sound ${format}`);
    return `${format} measured`;
  }
  let mutant = file;
  for (let times = random.between(1, 4); times > 0; times--) mutant = mutateBytes(mutant, random);
  // Headers stand at the beginning, so that is where most damage is to be done.
  if (random.chance(0.5)) mutant = Buffer.concat([mutateBytes(mutant.subarray(0, 64), random), mutant.subarray(64)]);
  const found = measured(mutant);
  if (found && "size" in found) {
    const { width, height } = found.size;
    assert.ok(Number.isInteger(width) && Number.isInteger(height) && width >= 1 && height >= 1, `a size of ${width} x ${height}`);
    return `${format} mutated, measured`;
  }
  if (found) assert.ok("problem" in found && found.problem.length > 0 && found.problem.length < 1_000);
  return `${format} mutated, ${found ? "refused" : "given up"}`;
}

/** What is told after as many pieces as the filter reads; undefined when it is not enough. */
function measured(file: Buffer): Exclude<Measured, { wanted: unknown }> | undefined {
  let head: ImageHead = { first: file.subarray(0, FIRST_BYTES), fileBytes: file.length };
  for (let reads = 1; reads < MOST_READS; reads++) {
    const found = measureImage(head);
    if (!("wanted" in found)) return found;
    const { from, end } = found.wanted;
    assert.ok(from >= 0 && from < end, `bytes ${from} to ${end} are asked for`);
    const bytes = file.subarray(from, end);
    if (bytes.length === 0) return undefined;
    head = from === head.first.length ? { ...head, first: Buffer.concat([head.first, bytes]) } : { ...head, piece: { from, bytes } };
  }
  return undefined;
}
