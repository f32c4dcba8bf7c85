/** Small images of every format that Hub's users have: by sharp where it can write them, by hand where it can not. */
import sharp, { type Sharp } from "sharp";

export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

export type SharpFormat = "png" | "jpeg" | "webp" | "tiff" | "gif";

/** A picture that does not compress to nothing. */
function picture({ width, height }: ImageSize): Sharp {
  const pixels = Buffer.alloc(width * height * 3);
  for (let at = 0; at < pixels.length; at += 1) pixels[at] = (at * 2_654_435_761) >>> 24;
  return sharp(pixels, { raw: { width, height, channels: 3 } });
}

export function image(format: SharpFormat, size: ImageSize): Promise<Buffer> {
  return picture(size).toFormat(format).toBuffer();
}

/** Stored as `size`, with the EXIF tag that tells how it is to be shown. */
export function orientedJpeg(size: ImageSize, orientation: number): Promise<Buffer> {
  return picture(size).withMetadata({ orientation }).jpeg().toBuffer();
}

/** A JPEG with application segments before its frame, as cameras and editors put them there. */
export function jpegAfter(segments: readonly Buffer[], jpeg: Buffer): Buffer {
  const framed = segments.flatMap((content) => {
    const head = Buffer.from([0xff, 0xe2, 0, 0]);
    head.writeUInt16BE(content.length + 2, 2);
    return [head, content];
  });
  return Buffer.concat([jpeg.subarray(0, 2), ...framed, jpeg.subarray(2)]);
}

/** 24 bits a pixel. A negative height: the rows come from the top. */
export function bmp({ width, height }: ImageSize): Buffer {
  const rowBytes = (width * 3 + 3) & ~3;
  const header = Buffer.alloc(54);
  header.write("BM", "latin1");
  header.writeUInt32LE(54 + rowBytes * Math.abs(height), 2);
  header.writeUInt32LE(54, 10);
  header.writeUInt32LE(40, 14);
  header.writeInt32LE(width, 18);
  header.writeInt32LE(height, 22);
  header.writeUInt16LE(1, 26);
  header.writeUInt16LE(24, 28);
  return Buffer.concat([header, Buffer.alloc(rowBytes * Math.abs(height))]);
}

export interface TiffOptions extends ImageSize {
  readonly endian: "little" | "big";
  readonly big?: boolean;
  /** Bytes between the header and the directory, where writers put the pixels. */
  readonly before?: number;
  /** Further entries of the directory. */
  readonly more?: number;
}

/** An uncompressed gray TIFF, or a BigTIFF, whose directory lies behind its pixels. */
export function tiff({ width, height, endian, big = false, before = 100, more = 0 }: TiffOptions): Buffer {
  const little = endian === "little";
  const put = (bytes: number, value: number) => {
    const field = Buffer.alloc(bytes);
    const view = new DataView(field.buffer, field.byteOffset, bytes);
    if (bytes === 2) view.setUint16(0, value, little);
    else if (bytes === 4) view.setUint32(0, value, little);
    else view.setBigUint64(0, BigInt(value), little);
    return field;
  };
  const wide = big ? 8 : 4;
  const entry = (tag: number, value: number) =>
    Buffer.concat([put(2, tag), put(2, 4), put(wide, 1), put(4, value), Buffer.alloc(wide - 4)]);
  const header = Buffer.concat([
    Buffer.from(little ? "II" : "MM"),
    put(2, big ? 43 : 42),
    ...(big ? [put(2, 8), put(2, 0)] : []),
    put(wide, (big ? 16 : 8) + before),
  ]);
  const entries = [entry(256, width), entry(257, height), ...Array.from({ length: more }, (_, at) => entry(1000 + at, at))];
  return Buffer.concat([header, Buffer.alloc(before, 7), put(big ? 8 : 2, entries.length), ...entries, Buffer.alloc(wide)]);
}

export interface DicomOptions extends Partial<ImageSize> {
  /** Default: explicit VR, little endian. */
  readonly syntax?: string;
  /** Bytes of a private element before the image's. */
  readonly before?: number;
}

export const DICOM_SYNTAX = {
  implicit: "1.2.840.10008.1.2",
  explicit: "1.2.840.10008.1.2.1",
  deflated: "1.2.840.10008.1.2.1.99",
  bigEndian: "1.2.840.10008.1.2.2",
  jpeg: "1.2.840.10008.1.2.4.50",
} as const;

/** A DICOM file (PS3.10) of one gray image; without a size it is one without an image. */
export function dicom({ width, height, syntax = DICOM_SYNTAX.explicit, before = 0 }: DicomOptions): Buffer {
  const meta = dicomElement(DICOM_SYNTAX.explicit, 0x0002, 0x0010, "UI", Buffer.from(syntax.length % 2 ? `${syntax}\0` : syntax));
  const element = (group: number, number: number, vr: string, value: Buffer) => dicomElement(syntax, group, number, vr, value);
  const short = (value: number) => {
    const field = Buffer.alloc(2);
    if (syntax === DICOM_SYNTAX.bigEndian) field.writeUInt16BE(value);
    else field.writeUInt16LE(value);
    return field;
  };
  return Buffer.concat([
    Buffer.alloc(128),
    Buffer.from("DICM"),
    meta,
    element(0x0008, 0x0060, "CS", Buffer.from("OT")),
    ...(before > 0 ? [element(0x0009, 0x1001, "OB", Buffer.alloc(before))] : []),
    ...(height === undefined ? [] : [element(0x0028, 0x0010, "US", short(height))]),
    ...(width === undefined ? [] : [element(0x0028, 0x0011, "US", short(width))]),
    element(0x7fe0, 0x0010, "OW", Buffer.alloc(64)),
  ]);
}

function dicomElement(syntax: string, group: number, number: number, vr: string, value: Buffer): Buffer {
  const tag = Buffer.alloc(4);
  const put = (field: Buffer, at: number, bytes: 2 | 4, field_: number) => {
    if (syntax === DICOM_SYNTAX.bigEndian) field.writeUIntBE(field_, at, bytes);
    else field.writeUIntLE(field_, at, bytes);
    return field;
  };
  put(tag, 0, 2, group);
  put(tag, 2, 2, number);
  if (syntax === DICOM_SYNTAX.implicit) return Buffer.concat([tag, put(Buffer.alloc(4), 0, 4, value.length), value]);
  const isLong = ["OB", "OW", "SQ", "UN"].includes(vr);
  const length = isLong ? put(Buffer.alloc(6), 2, 4, value.length) : put(Buffer.alloc(2), 0, 2, value.length);
  return Buffer.concat([tag, Buffer.from(vr), length, value]);
}
