import { createHash } from "node:crypto";

/** Below the 255 bytes that file systems allow, also those behind an object store. */
const MAX_FLAT_NAME = 200;

const SEGMENT = /^(?!\.\.?$)[A-Za-z0-9._-]+$/;

/**
 * The two parts of a blob key, `<run>/<rest>`.
 * @throws TypeError when it is not one: a key never leads out of its run.
 */
export function splitBlobKey(key: string): { readonly run: string; readonly rest: string } {
  const [run, ...rest] = key.split("/");
  if (run === undefined || rest.length === 0 || ![run, ...rest].every((segment) => SEGMENT.test(segment))) {
    throw new TypeError(
      `${JSON.stringify(key)} is no blob key; allowed: <run>/<rest>, of [A-Za-z0-9._/-] without empty, "." or ".." segments`,
    );
  }
  return { run, rest: rest.join("/") };
}

export function isRunName(run: string): boolean {
  return SEGMENT.test(run);
}

/** @throws TypeError when the name can not be the first segment of a key. */
export function checkRunName(run: string): void {
  if (!isRunName(run)) {
    throw new TypeError(`${JSON.stringify(run)} is no run with blobs; allowed: one segment of [A-Za-z0-9._-], not "." or ".."`);
  }
}

/**
 * The rest of a key as one name without slashes, so that a blob never stands where another one's folder would be (`r/1`, `r/1/p0`). One
 * that is too long is replaced by its digest; it starts with `~`, which no other name does.
 */
export function flatName(rest: string): string {
  const name = rest.replaceAll("/", "~");
  return name.length <= MAX_FLAT_NAME ? name : `~${createHash("sha256").update(rest).digest("hex")}`;
}
