/** What a worker must know of the installation, as a block of shared memory that is handed along with every message. */

/** What one mask may ask for at most; messages are not trusted. */
export interface MaskLimits {
  /** Width x height. */
  readonly imagePixels: number;
  /** Width, and height. */
  readonly imageSide: number;
  /** Image rows that each edge crosses, summed. */
  readonly edgeRows: number;
  /** Bytes of the file. */
  readonly pngBytes: number;
}

export const PNG_ENCODERS = ["runs", "sharp"] as const;

export interface RasterizerSettings extends MaskLimits {
  readonly pngEncoder: (typeof PNG_ENCODERS)[number];
}

export function packSettings(settings: RasterizerSettings): Uint8Array {
  const encoded = Buffer.from(JSON.stringify(settings));
  const shared = new Uint8Array(new SharedArrayBuffer(encoded.length));
  shared.set(encoded);
  return shared;
}

/** Only of what packSettings made. */
export function unpackSettings(shared: Uint8Array): RasterizerSettings {
  return JSON.parse(Buffer.from(shared).toString()) as RasterizerSettings;
}
