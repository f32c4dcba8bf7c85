/** The simulated bucket: objects on disk behind presigned URLs, as strict about uploads as S3 (docs/hub-protocol.md section 5.5). */
import { createHash, randomBytes } from "node:crypto";
import { createWriteStream, existsSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { type Exchange, sendBody, sendFile } from "./http-answers.js";
import { presign, type Refusal, refuseSignature, type SignedMethod } from "./signatures.js";

export const BUCKET_PATH = "/bucket/";

export interface Bucket {
  /** A presigned URL for `key`, which need not exist yet. */
  sign(method: SignedMethod, key: string): string;
  /** The key that a URL of this bucket speaks of, whatever its query; undefined for any other text. */
  keyOf(url: string): string | undefined;
  /** Where the object of that key lies on disk. */
  fileOf(key: string): string;
  put(exchange: Exchange): Promise<void>;
  get(exchange: Exchange): Promise<void>;
  /** Completed uploads, in order. */
  readonly uploads: readonly { readonly key: string; readonly bytes: number }[];
}

const REFUSALS = {
  chunked: {
    status: 501,
    code: "NotImplemented",
    message: "A header you provided implies functionality that is not implemented: Transfer-Encoding",
  },
  noLength: { status: 411, code: "MissingContentLength", message: "You must provide the Content-Length HTTP header." },
  contentType: {
    status: 403,
    code: "SignatureDoesNotMatch",
    message: "The request signature we calculated does not match the signature you provided: Content-Type was not signed.",
  },
  amzHeader: { status: 403, code: "AccessDenied", message: "There were headers present in the request which were not signed" },
  noObject: { status: 404, code: "NoSuchKey", message: "The specified key does not exist." },
} as const satisfies Record<string, Refusal>;

function refuseUpload({ headers }: IncomingMessage): Refusal | undefined {
  if (headers["transfer-encoding"] !== undefined) return REFUSALS.chunked;
  if (headers["content-length"] === undefined) return REFUSALS.noLength;
  if (headers["content-type"] !== undefined) return REFUSALS.contentType;
  if (Object.keys(headers).some((name) => name.startsWith("x-amz-"))) return REFUSALS.amzHeader;
  return undefined;
}

function sendRefusal(exchange: Exchange, { status, code, message }: Refusal): void {
  const xml = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  sendBody(exchange, status, { "Content-Type": "application/xml" }, Buffer.from(xml));
}

/**
 * @param folder where objects are stored
 * @param origin the simulator's address, without a trailing slash
 * @param lifetime seconds that presigned URLs live, asked anew for each
 */
export function createBucket(folder: string, origin: string, lifetime: () => number): Bucket {
  const key = randomBytes(32);
  const uploads: { key: string; bytes: number }[] = [];
  let pending = 0;
  const fileOf = (name: string) => join(folder, createHash("sha256").update(name).digest("hex"));
  const keyAt = (url: URL) => decodeURIComponent(url.pathname.slice(BUCKET_PATH.length));

  return {
    uploads,
    fileOf,
    sign: (method, name) => {
      const path = name.split("/").map(encodeURIComponent).join("/");
      return presign(key, method, new URL(`${origin}${BUCKET_PATH}${path}`), lifetime(), Date.now());
    },
    keyOf: (text) => {
      const url = URL.canParse(text) ? new URL(text) : undefined;
      return url?.origin === origin && url.pathname.startsWith(BUCKET_PATH) ? keyAt(url) : undefined;
    },
    put: async (exchange) => {
      const { request, url } = exchange;
      const refusal = refuseUpload(request) ?? refuseSignature(key, "PUT", url, Date.now());
      if (refusal) {
        sendRefusal(exchange, refusal);
        return;
      }
      // An object appears whole or not at all.
      const partial = join(folder, `upload-${pending++}`);
      const digest = createHash("md5");
      let bytes = 0;
      const count = async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          digest.update(chunk);
          bytes += chunk.length;
          yield chunk;
        }
      };
      try {
        await pipeline(request, count, createWriteStream(partial));
      } catch {
        await rm(partial, { force: true });
        return;
      }
      await rename(partial, fileOf(keyAt(url)));
      uploads.push({ key: keyAt(url), bytes });
      sendBody(exchange, 200, { ETag: `"${digest.digest("hex")}"` }, Buffer.alloc(0));
    },
    get: async (exchange) => {
      const refusal = refuseSignature(key, "GET", exchange.url, Date.now());
      const file = fileOf(keyAt(exchange.url));
      if (refusal) sendRefusal(exchange, refusal);
      else if (!existsSync(file)) sendRefusal(exchange, REFUSALS.noObject);
      else await sendFile(exchange, file, { "Content-Type": "application/zip" });
    },
  };
}
