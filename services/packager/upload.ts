/** Puts a finished archive where the gateway said. */
import { copyFile, mkdir, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { UserFailure } from "../runtime/gateway-calls.js";
import { fileBytes, publishFile } from "./durable-files.js";

/** Uploads a file to a presigned URL; every status is an answer, what it throws holds no secret. */
export type PutFile = (
  url: string,
  file: string,
  options: { readonly timeoutMs: number; readonly signal: AbortSignal },
) => Promise<{ readonly status: number; readonly complaint: string; readonly retryAfterMs: number | undefined }>;

export interface UploadOptions {
  readonly put: PutFile;
  /** So long may pass without a byte moving. */
  readonly timeoutMs: number;
  /** Whether `file://` targets are taken: only where the gateway is part of this very process. */
  readonly allowFileTargets: boolean;
}

/** What a presigned PUT to S3 takes at most, and what compatible storages keep to. */
const MAX_PUT_BYTES = 5 * 2 ** 30;

/** The target did not take the archive; another one may. */
export class UploadFailed extends Error {
  override readonly name = "UploadFailed";
  constructor(
    message: string,
    readonly retryAfterMs: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * @throws UploadFailed when the target refused or could not be reached; its message holds no part of the URL; UserFailure when the archive
 * is too large for any target; the signal's reason.
 */
export async function upload(
  url: string,
  file: string,
  { put, timeoutMs, allowFileTargets }: UploadOptions,
  signal: AbortSignal,
): Promise<void> {
  if (url.startsWith("file:")) {
    if (!allowFileTargets) throw new UploadFailed("it is a file, which this installation does not upload to", 0);
    return copyTo(fileURLToPath(url), file);
  }
  const bytes = (await fileBytes(file)) ?? 0;
  if (bytes > MAX_PUT_BYTES) throw new UserFailure(tooLarge(bytes));
  const answer = await put(url, file, { timeoutMs, signal }).catch((error: unknown) => {
    if (signal.aborted) throw signal.reason;
    throw new UploadFailed(error instanceof Error ? error.message : String(error), 0, { cause: error });
  });
  if (answer.status >= 200 && answer.status < 300) return;
  const complaint = answer.complaint === "" ? "" : ` (${answer.complaint})`;
  throw new UploadFailed(`the storage answered HTTP ${answer.status}${complaint}`, answer.retryAfterMs ?? 0);
}

function tooLarge(bytes: number): string {
  // Rounded up, so that it never reads like the 5 GiB that are allowed.
  const gib = (Math.ceil((bytes / 2 ** 30) * 10) / 10).toFixed(1);
  return (
    `The archive of all masks takes ${gib} GiB, and the storage takes 5 GiB in one upload. Run the export several times with fewer assets ` +
    "each: name some of the project's batches under batch_names in the Config JSON."
  );
}

/** Whoever looks sees the old file, the new one, or none. */
async function copyTo(target: string, file: string): Promise<void> {
  const partial = `${target}.partial`;
  await mkdir(dirname(target), { recursive: true });
  try {
    await copyFile(file, partial);
    await publishFile(partial, target);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}
