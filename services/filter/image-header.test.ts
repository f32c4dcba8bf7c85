import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  bmp,
  DICOM_SYNTAX,
  type DicomOptions,
  dicom,
  type ImageSize,
  image,
  jpegAfter,
  orientedJpeg,
  type SharpFormat,
  tiff,
} from "../../test/support/images.js";
import { type ImageHead, type Measured, measureImage } from "./image-header.js";

const SIZE = { width: 37, height: 21 };

/** Reads a file in pieces, as it is asked to. Fails when it asks for what it has. */
function read(file: Uint8Array, { firstBytes = 65_536, knowsLength = true } = {}): { measured: Measured; reads: number; bytes: number } {
  let head: ImageHead = { first: file.slice(0, firstBytes), fileBytes: knowsLength ? file.length : undefined };
  let bytes = head.first.length;
  for (let reads = 1; ; reads += 1) {
    const measured = measureImage(head);
    if (!("wanted" in measured)) return { measured, reads, bytes };
    const { from, end } = measured.wanted;
    const piece = file.slice(from, end);
    assert.ok(end > from && piece.length > 0 && reads < 12, `read ${reads}: bytes ${from} to ${end} of ${file.length}`);
    bytes += piece.length;
    const isNext = from === head.first.length;
    const fileBytes = head.fileBytes ?? (end > file.length ? file.length : undefined);
    head = isNext
      ? { ...head, first: Buffer.concat([head.first, piece]), fileBytes }
      : { ...head, piece: { from, bytes: piece }, fileBytes };
  }
}

function sizeIn(file: Uint8Array, options = {}): ImageSize {
  const { measured } = read(file, options);
  return "size" in measured ? measured.size : assert.fail(JSON.stringify(measured));
}

function problemIn(file: Uint8Array): string {
  const { measured } = read(file);
  return "problem" in measured ? measured.problem : assert.fail(JSON.stringify(measured));
}

/** Every format, each in a whole small file. */
async function allFormats(): Promise<Map<string, Buffer>> {
  const formats: readonly SharpFormat[] = ["png", "jpeg", "webp", "tiff", "gif"];
  const files = await Promise.all(formats.map(async (format) => [format, await image(format, SIZE)] as const));
  return new Map<string, Buffer>([
    ...files,
    ["bmp", bmp(SIZE)],
    ["big-endian tiff", tiff({ ...SIZE, endian: "big" })],
    ["big tiff", tiff({ ...SIZE, endian: "little", big: true })],
    ["big-endian big tiff", tiff({ ...SIZE, endian: "big", big: true })],
    ["dicom", dicom(SIZE)],
  ]);
}

describe("the size of an image", () => {
  it("is found in every format, however few bytes come at first and whether or not the file's length is known", async () => {
    for (const [format, file] of await allFormats()) {
      for (const knowsLength of [true, false]) {
        for (const firstBytes of [0, 1, 17, 132, 200, 65_536]) {
          assert.deepEqual(sizeIn(file, { firstBytes, knowsLength }), SIZE, `${format} from ${firstBytes} bytes`);
        }
      }
    }
  });

  it("is that of the canvas for lossless, transparent and animated WebP", async () => {
    const { default: sharp } = await import("sharp");
    const pixels = sharp({ create: { ...SIZE, channels: 4, background: { r: 9, g: 9, b: 9, alpha: 0.5 } } });
    for (const options of [{ lossless: true }, { lossless: false }, { nearLossless: true }]) {
      assert.deepEqual(sizeIn(await pixels.clone().webp(options).toBuffer()), SIZE);
    }
  });

  it("of a BMP whose rows come from the top is the same", () => assert.deepEqual(sizeIn(bmp({ ...SIZE, height: -21 })), SIZE));

  for (const orientation of [1, 2, 3, 4, 5, 6, 7, 8]) {
    const isTurned = orientation >= 5;
    it(`of a JPEG with EXIF orientation ${orientation} is ${isTurned ? "turned" : "as stored"}`, async () => {
      const file = await orientedJpeg(SIZE, orientation);
      assert.deepEqual(sizeIn(file), isTurned ? { width: SIZE.height, height: SIZE.width } : SIZE);
    });
  }

  it("of a progressive JPEG is found", async () => {
    const { default: sharp } = await import("sharp");
    assert.deepEqual(
      sizeIn(
        await sharp(await image("png", SIZE))
          .jpeg({ progressive: true })
          .toBuffer(),
      ),
      SIZE,
    );
  });

  it("of a JPEG with hundreds of kilobytes before its frame is found by reading on", async () => {
    const profile = Array.from({ length: 6 }, () => Buffer.alloc(60_000, 3));
    const file = jpegAfter(profile, await image("jpeg", SIZE));
    const { measured, reads } = read(file);
    assert.deepEqual(measured, { size: SIZE });
    assert.equal(reads, 2);
  });

  it("of a JPEG is never that of the thumbnail in it, wherever the bytes end", async () => {
    const thumbnail = await image("jpeg", { width: 16, height: 12 });
    // As a marker's length, each of its bytes leads on, and the last ones to a frame.
    const likeSegments = Buffer.concat([Buffer.alloc(240), Buffer.from([0, 4, 0, 0, 0xff, 0xc0, 0, 17, 8, 0, 12, 0, 16, 3])]);
    const file = jpegAfter([Buffer.concat([Buffer.alloc(300), thumbnail]), likeSegments], await image("jpeg", SIZE));
    for (let firstBytes = 132; firstBytes < file.length; firstBytes += 1) {
      const measured = measureImage({ first: file.subarray(0, firstBytes), fileBytes: file.length });
      if ("size" in measured) assert.deepEqual(measured.size, SIZE, `${firstBytes} bytes`);
      else assert.ok("wanted" in measured, `${firstBytes} bytes: ${JSON.stringify(measured)}`);
    }
  });

  it("of a TIFF is found in its directory at the end, without what lies between", async () => {
    const file = tiff({ ...SIZE, endian: "little", before: 5_000_000 });
    const { measured, bytes } = read(file);
    assert.deepEqual(measured, { size: SIZE });
    assert.ok(bytes < 70_000, `${bytes} bytes were read`);
    assert.deepEqual(sizeIn(tiff({ ...SIZE, endian: "big", before: 5_000_000, big: true, more: 500 })), SIZE);
  });

  const syntaxes: readonly (readonly [what: string, DicomOptions])[] = [
    ["implicit VR", { syntax: DICOM_SYNTAX.implicit }],
    ["explicit VR in big endian", { syntax: DICOM_SYNTAX.bigEndian }],
    ["compressed pixels", { syntax: DICOM_SYNTAX.jpeg }],
    ["much before its image", { before: 200_000 }],
  ];
  for (const [what, options] of syntaxes) {
    it(`of a DICOM file with ${what} is found`, () => assert.deepEqual(sizeIn(dicom({ ...SIZE, ...options })), SIZE));
  }

  it("is told whatever it is: limits are somebody else's", async () => {
    const png = await image("png", SIZE);
    png.writeUInt32BE(2 ** 31 - 1, 16);
    png.writeUInt32BE(2 ** 31 - 1, 20);
    assert.deepEqual(sizeIn(png), { width: 2 ** 31 - 1, height: 2 ** 31 - 1 });
  });
});

describe("what is no image", () => {
  it("is named by how it starts", () => {
    assert.equal(
      problemIn(Buffer.from("<!DOCTYPE html><html></html>")),
      'is none of PNG, JPEG, WebP, TIFF, GIF, BMP and DICOM: it starts with "<!DOCTYPE html><"',
    );
    assert.match(problemIn(Buffer.from([0, 0, 0, 0x18, 0x66, 0x74])), /it starts with the bytes 00 00 00 18 66 74$/);
    assert.match(problemIn(Buffer.from("BMW and other cars, in a text of some length")), /it starts with "BMW and/);
    assert.equal(problemIn(Buffer.alloc(0)), "is empty");
  });

  it("has no size when it ends too early", async () => {
    for (const [format, file] of await allFormats()) {
      const end = format === "gif" ? 8 : format === "dicom" ? 170 : 20;
      assert.ok(problemIn(file.subarray(0, end)).length > 0, format);
    }
    assert.equal(problemIn((await image("jpeg", SIZE)).subarray(0, 100)), "is a broken JPEG, whose 100 bytes do not tell its size");
  });

  it("is a picture without width or height", async () => {
    const gif = await image("gif", SIZE);
    gif.writeUInt16LE(0, 6);
    assert.equal(problemIn(gif), "is a GIF of 0 x 21 pixels, which is no image");
  });

  it("is a TIFF whose directory lies nowhere", () => {
    const file = tiff({ ...SIZE, endian: "little" });
    for (const at of [0, 7, file.length, 2 ** 32 - 1]) {
      file.writeUInt32LE(at, 4);
      assert.match(problemIn(file), /is a broken TIFF: its directory should be at byte \d+, where none can be/);
    }
    file.writeUInt32LE(20, 4);
    file.writeUInt16LE(0, 20);
    assert.equal(problemIn(file), "is a TIFF whose first directory does not tell its size");
  });

  it("is a DICOM file without an image, or one that is deflated", () => {
    assert.equal(problemIn(dicom({})), "is a DICOM file without rows and columns, that is, without an image");
    assert.match(problemIn(dicom({ ...SIZE, syntax: DICOM_SYNTAX.deflated })), /deflated, which is not read$/);
  });
});

describe("any bytes", () => {
  const SIGNATURES = [
    "\x89PNG\r\n\x1a\n....IHDR",
    "\xff\xd8\xff",
    "\xff\xd8\xff\xe1",
    "RIFF....WEBPVP8 ",
    "RIFF....WEBPVP8X",
    "RIFF....WEBPVP8L",
  ]
    .concat([
      "GIF89a",
      "BM............(\0\0\0",
      "II*\0\x08\0\0\0",
      "MM\0*\0\0\0\x08",
      "II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0",
      `${"\0".repeat(128)}DICM`,
    ])
    .map((text) => Buffer.from(text, "latin1"));
  const answered = (head: ImageHead) => {
    const measured = measureImage(head);
    if ("size" in measured) assert.ok(measured.size.width >= 1 && measured.size.height >= 1);
    else if ("wanted" in measured) assert.ok(measured.wanted.end > measured.wanted.from && measured.wanted.from >= 0);
    else assert.match(measured.problem, /^[\x20-\x7e]{5,200}$/);
  };

  it("are a size, a wish for more, or a problem in plain words; nothing is thrown", () => {
    const bytes = fc.uint8Array({ maxLength: 400, size: "max" });
    fc.assert(
      fc.property(fc.constantFrom(Buffer.alloc(0), ...SIGNATURES), bytes, bytes, fc.boolean(), (signature, rest, piece, knowsLength) => {
        const first = Buffer.concat([signature, rest]);
        answered({ first, fileBytes: knowsLength ? first.length : undefined });
        answered({ first, piece: { from: first.length + 10, bytes: piece }, fileBytes: undefined });
      }),
      { numRuns: 3000 },
    );
  });

  it("of an image with some of them changed are answered too", async () => {
    const files = [...(await allFormats()).values(), await orientedJpeg(SIZE, 6)];
    const change = fc.tuple(fc.nat(400), fc.nat(255));
    fc.assert(
      fc.property(fc.constantFrom(...files), fc.array(change, { minLength: 1, maxLength: 12 }), (file, changes) => {
        const first = Buffer.from(file);
        for (const [at, value] of changes) if (at < first.length) first[at] = value;
        answered({ first, fileBytes: first.length });
        answered({ first, fileBytes: undefined });
      }),
      { numRuns: 3000 },
    );
  });

  it("of the largest head are answered in a moment, however they are made up", () => {
    const worst = [
      Buffer.alloc(2 ** 21, 0xff),
      Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.alloc(2 ** 21)]),
      Buffer.concat([dicom({ syntax: DICOM_SYNTAX.implicit }), Buffer.alloc(2 ** 21)]),
      Buffer.concat([dicom({}).subarray(0, 160), Buffer.alloc(2 ** 21, "SQ")]),
    ];
    worst[0]?.set([0xff, 0xd8, 0xff]);
    const started = performance.now();
    for (const first of worst) answered({ first, fileBytes: undefined });
    assert.ok(performance.now() - started < 20_000);
  });
});
