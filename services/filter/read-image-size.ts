/** The size of one image behind a URL of an export: as few bytes of it as tell the size, tried again after passing faults. */
import { retrying } from "../runtime/backoff.js";
import type { PieceFetcher } from "../runtime/fetch-piece.js";
import { HttpFailure, isPassingHttpFailure } from "../runtime/http-failure.js";
import { excerpt } from "./excerpt.js";
import type { BytesWanted, ImageHead, Measured } from "./image-header.js";
import type { Size } from "./size.js";

export interface FetchLimits {
  /** Bytes that are read of one image at most. */
  readonly mostBytes: number;
  /** For one image, with all that is read of it and all tries. */
  readonly timeoutMs: number;
}

/** Reads the header in what has come of an image; it is not trusted, so a worker does. */
export type Measure = (head: ImageHead) => Promise<Measured>;

/** Holds the size of most images, and comes in one packet train. */
const FIRST_BYTES = 65_536;
/** Two are usual. A server that gives less than it is asked for makes more. */
const MOST_READS = 12;
const TRIES = 4;
const WAITS = { firstDelayMs: 300, maxDelayMs: 3_000 };
/** One try takes so much of the time at most, so that there is some left for another. */
const SHARE_OF_A_TRY = 3;
const PROBLEM_LENGTH = 300;

export interface ImageRead {
  readonly url: string;
  /** Whether a passing fault is worth another try. */
  readonly patient: boolean;
  readonly limits: FetchLimits;
  readonly fetcher: Pick<PieceFetcher, "fetch">;
  readonly measure: Measure;
}

/** What came of it; `away`: the server could not be reached, which says nothing about the image. */
export type ImageFound = Size | { readonly problem: string; readonly away: boolean };

/** @throws the signal's reason when aborted, and what `measure` throws. */
export async function readImageSize(read: ImageRead, signal: AbortSignal): Promise<ImageFound> {
  signal.throwIfAborted();
  const { timeoutMs } = read.limits;
  const late = new HttpFailure({ kind: "timeout", target: "GET", detail: `not read within ${timeoutMs / 1000} s` });
  const stop = new AbortController();
  const forward = () => stop.abort(signal.reason);
  const timer = setTimeout(() => stop.abort(late), timeoutMs);
  signal.addEventListener("abort", forward, { once: true });
  let fault: unknown;
  try {
    return await readHeader(read, stop.signal, (error) => {
      fault = error;
    });
  } catch (error) {
    signal.throwIfAborted();
    // Why it was tried again says more than that the time is over.
    const failure = error === late && fault instanceof HttpFailure ? fault : error;
    if (!(failure instanceof HttpFailure)) throw failure;
    const hint = failure.status === 403 ? "; a signed URL may have expired since the export was made" : "";
    const away = failure.kind === "network" || failure.kind === "timeout";
    return { problem: excerpt(`can not be fetched (${failure.message}${hint})`, PROBLEM_LENGTH), away };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", forward);
  }
}

async function readHeader(read: ImageRead, signal: AbortSignal, onFault: (error: unknown) => void): Promise<ImageFound> {
  const { url, patient, limits, fetcher, measure } = read;
  const { mostBytes } = limits;
  const policy = { attempts: patient ? TRIES : 1, ...WAITS, isPassing: isPassingHttpFailure, onRetry: onFault };
  let head: ImageHead = { first: new Uint8Array(0), fileBytes: undefined };
  let wanted: BytesWanted = { from: 0, end: FIRST_BYTES };
  let left = mostBytes;
  for (let reads = 0; reads < MOST_READS && left > 0; reads += 1) {
    const { from } = wanted;
    const request = { url, from, end: Math.min(wanted.end, from + left), mostBytes, timeoutMs: limits.timeoutMs / SHARE_OF_A_TRY };
    const { bytes, fileBytes, type } = await retrying(() => fetcher.fetch(request, signal), policy, signal);
    if (bytes.length === 0 && from > 0) return notAnImage(`ends before byte ${from}, where the rest of its header should be`);
    left -= bytes.length;
    head =
      from === head.first.length
        ? { ...head, first: joined(head.first, bytes), fileBytes }
        : { ...head, piece: { from, bytes }, fileBytes };
    const measured = await measure(head);
    if ("size" in measured) return measured.size;
    if ("problem" in measured) return notAnImage(`${measured.problem}${type === undefined ? "" : `; its Content-Type is ${type}`}`);
    wanted = measured.wanted;
  }
  return notAnImage(`does not tell its size in the ${mostBytes - left} bytes that are read of it at most (FETCH_BYTES_LIMIT)`);
}

function notAnImage(problem: string): ImageFound {
  return { problem: excerpt(problem, PROBLEM_LENGTH), away: false };
}

function joined(first: Uint8Array, more: Uint8Array): Uint8Array {
  const whole = new Uint8Array(first.length + more.length);
  whole.set(first);
  whole.set(more, first.length);
  return whole;
}
