/** Hub's REST calls that a plugin makes, and the images of its assets (docs/hub-protocol.md section 5). */
import { existsSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { extname, join } from "node:path";
import { BUCKET_PATH, type Bucket } from "./bucket.js";
import { linesOf, type RowSource, writeExportZip } from "./export-zip.js";
import { type Exchange, type RequestName, sendBody, sendData, sendFailure, sendFile } from "./http-answers.js";

/** `data.project` as Hub answers it; everything but the id is passed through. */
export interface HubProject {
  readonly _id: string;
  readonly batches?: readonly { readonly _id?: string; readonly name: string }[];
  readonly [key: string]: unknown;
}

/** A project that the simulator serves. */
export interface SimulatedProject {
  readonly project: HubProject;
  /** The REST key of the user who presses Run in it; default: the simulator's. */
  readonly apiKey?: string;
  /** The export's rows, asked anew for each export. Either these or `exportFile`. */
  readonly rows?: RowSource;
  /** An NDJSON file, or a zip that is served as it is. */
  readonly exportFile?: string;
  /** A folder of images, or images by name; served at `/images/<name>`. */
  readonly images?: string | Readonly<Record<string, Buffer>>;
}

export interface RestOptions {
  readonly projects: readonly SimulatedProject[];
  readonly apiKey: string;
  readonly origin: string;
  readonly bucket: Bucket;
  readonly onLog: (record: unknown) => void;
  readonly onResponse: (result: unknown) => void;
}

export interface Rest {
  /** Query parameters of every `/v2/export` call, in the order received. */
  readonly exports: readonly (readonly (readonly [string, string])[])[];
  readonly handlers: Readonly<Record<RequestName, (exchange: Exchange) => void | Promise<void>>>;
}

/** Which request a method and path are; undefined: none that Hub knows. */
export function requestName(method: string, path: string): RequestName | undefined {
  if (path.startsWith(BUCKET_PATH)) {
    if (method === "PUT") return "upload";
    return path.startsWith(`${BUCKET_PATH}downloads/`) ? "download" : "archive";
  }
  if (method === "POST") return path === "/v2/pluginLog" ? "pluginLog" : path === "/v2/pluginResponse" ? "pluginResponse" : undefined;
  if (method !== "GET") return undefined;
  if (path.startsWith("/images/")) return "image";
  if (path.startsWith("/v2/project/")) return "project";
  if (path === "/v2/export") return "export";
  if (path === "/v2/getUploadUrl") return "getUploadUrl";
  return path === "/v2/getSignedUrl" ? "getSignedUrl" : undefined;
}

const IMAGE_TYPES: Readonly<Record<string, string>> = {
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
  ".png": "image/png",
  ".webp": "image/webp",
};
const MAX_JSON_BYTES = 4 << 20;

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_JSON_BYTES) throw new Error("the body is too large");
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString("utf8"));
}

/** A query parameter that holds a JSON list of texts; undefined when it is not there. */
function jsonList(url: URL, name: string): readonly string[] | undefined {
  const text = url.searchParams.get(name);
  if (text === null) return undefined;
  const list: unknown = JSON.parse(text);
  if (!Array.isArray(list) || !list.every((entry) => typeof entry === "string")) throw new Error(`${name} is not a list of texts`);
  return list;
}

export function createRest({ projects, apiKey, origin, bucket, onLog, onResponse }: RestOptions): Rest {
  const exports: (readonly [string, string])[][] = [];

  const authorised = (exchange: Exchange) => {
    const given = exchange.request.headers.apikey;
    if (given === apiKey || projects.some((simulated) => simulated.apiKey !== undefined && simulated.apiKey === given)) return true;
    sendFailure(exchange, 401, "Invalid API KEY");
    return false;
  };
  const projectOf = (exchange: Exchange, id: string | null) => {
    const found = projects.find(({ project }) => project._id === id);
    if (!found) sendFailure(exchange, 400, `Invalid project: ${id}`);
    return found;
  };

  const exportRows = async (exchange: Exchange) => {
    exports.push([...exchange.url.searchParams]);
    if (!authorised(exchange)) return;
    const simulated = projectOf(exchange, exchange.url.searchParams.get("project"));
    if (!simulated) return;
    const key = `downloads/${simulated.project._id}-${exports.length}.zip`;
    const { exportFile, rows } = simulated;
    if (exportFile?.endsWith(".zip")) {
      await copyFile(exportFile, bucket.fileOf(key));
    } else {
      const batchIds = jsonList(exchange.url, "batches");
      const batches = batchIds?.map((id) => simulated.project.batches?.find(({ _id }) => _id === id)?.name ?? id);
      const source = rows ?? (exportFile === undefined ? [] : () => linesOf(exportFile));
      await writeExportZip(bucket.fileOf(key), source, { stages: jsonList(exchange.url, "stage"), batches }, origin);
    }
    sendData(exchange, 200, { exportPath: bucket.sign("GET", key) });
  };

  const uploadUrl = (exchange: Exchange) => {
    if (!authorised(exchange)) return;
    const { searchParams } = exchange.url;
    const name = searchParams.get("name");
    const simulated = projectOf(exchange, searchParams.get("project"));
    if (!simulated) return;
    if (!name || searchParams.get("type") !== "exports") sendFailure(exchange, 400, "Missing parameter: name, or type other than exports");
    else sendData(exchange, 201, { uploadUrl: bucket.sign("PUT", `${simulated.project._id}/exports/${name}`) });
  };

  const signedUrl = (exchange: Exchange) => {
    if (!authorised(exchange) || !projectOf(exchange, exchange.url.searchParams.get("project"))) return;
    // The reference client pastes the upload URL raw, so that `name` ends at its first `&`; others encode it, or cut it at `?`.
    const key = bucket.keyOf(exchange.url.searchParams.get("name")?.split("?")[0] ?? "");
    if (!key) sendFailure(exchange, 400, "Invalid name: not a URL of this bucket");
    else sendData(exchange, 201, { signedUrl: bucket.sign("GET", key) });
  };

  const image = async (exchange: Exchange) => {
    const name = decodeURIComponent(exchange.url.pathname.slice("/images/".length));
    const type = { "Content-Type": IMAGE_TYPES[extname(name).toLowerCase()] ?? "application/octet-stream" };
    for (const { images } of projects) {
      if (typeof images === "object" && Object.hasOwn(images, name)) {
        sendBody(exchange, 200, type, images[name] ?? Buffer.alloc(0));
        return;
      }
      if (typeof images !== "string" || !/^[\w. -]+$/.test(name) || !existsSync(join(images, name))) continue;
      await sendFile(exchange, join(images, name), type);
      return;
    }
    sendFailure(exchange, 404, `no image ${name}`);
  };

  const posted = (receive: (body: unknown) => void) => async (exchange: Exchange) => {
    if (!authorised(exchange)) return;
    receive(await readJson(exchange.request));
    sendData(exchange, 200, {});
  };

  return {
    exports,
    handlers: {
      export: exportRows,
      project: (exchange) => {
        if (!authorised(exchange)) return;
        const found = projectOf(exchange, decodeURIComponent(exchange.url.pathname.slice("/v2/project/".length)));
        if (found) sendData(exchange, 200, { project: found.project });
      },
      getUploadUrl: uploadUrl,
      getSignedUrl: signedUrl,
      pluginLog: posted(onLog),
      pluginResponse: posted(onResponse),
      image,
      download: bucket.get,
      archive: bucket.get,
      upload: bucket.put,
    },
  };
}
