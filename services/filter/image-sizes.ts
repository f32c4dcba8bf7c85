/**
 * The sizes of an asset's images, read from the images: some at once, each once a run. What is found is kept, so that a message that comes
 * again goes on where it was, and finds the same.
 */
import { createHash } from "node:crypto";
import { setMaxListeners } from "node:events";
import { type AddressRange, createAddressRules } from "../runtime/address-rules.js";
import { Retry } from "../runtime/errors.js";
import { createPieceFetcher } from "../runtime/fetch-piece.js";
import { createSlots } from "../runtime/slots.js";
import { createLru } from "./lru.js";
import { type FetchLimits, type Measure, readImageSize } from "./read-image-size.js";
import type { ImageNeeded, ImageSizes, Size } from "./size.js";

export interface ImageSettings extends FetchLimits {
  /** Images read at once; 0: none ever. */
  readonly concurrency: number;
  /** Addresses that may be asked although they are not public. */
  readonly allowed: readonly AddressRange[];
  /** Default: `ONE_GO_MS`; shorter in tests. */
  readonly oneGoMs?: number;
}

export interface ImageSizeSource {
  /**
   * The sizes of all these images, or why one of them has none: then the others are not waited for.
   * @throws Retry when they are too many for one go; the next one goes on from there. The signal's reason when aborted.
   */
  find(run: string, needed: readonly ImageNeeded[], measure: Measure, signal: AbortSignal): Promise<ImageSizes>;
  /** Ends all connections. */
  close(): Promise<void>;
}

/** Of one asset, so that one of very many pages leaves room for others. */
const LANES = 8;
const KEPT_SIZES = 65_536;
const KEPT_SERVERS = 1024;
/** A server that could not be reached is tried only once an image for so long: an export may name it thousands of times. */
const AWAY_MS = 30_000;
/** Shorter than the loop's deadline (step-loop.ts), which would count against the message. */
const ONE_GO_MS = 100_000;

export function createImageSizes(settings: ImageSettings): ImageSizeSource {
  const fetcher = createPieceFetcher(createAddressRules(settings.allowed));
  const slots = createSlots(settings.concurrency);
  const kept = createLru<Size>(KEPT_SIZES);
  const away = createLru<number>(KEPT_SERVERS);

  async function sizeOf(run: string, url: string, measure: Measure, signal: AbortSignal): ReturnType<typeof readImageSize> {
    const key = createHash("sha256").update(`${run} ${url}`).digest("base64");
    const known = kept.get(key);
    if (known) return known;
    const server = URL.canParse(url) ? new URL(url).origin : "";
    const found = await slots.within(() => {
      const patient = performance.now() > (away.get(server) ?? 0);
      return readImageSize({ url, patient, limits: settings, fetcher, measure }, signal);
    }, signal);
    if (!("problem" in found)) kept.set(key, found);
    if ("problem" in found && found.away) away.set(server, performance.now() + AWAY_MS);
    else away.delete(server);
    return found;
  }

  return {
    async find(run, needed, measure, signal) {
      signal.throwIfAborted();
      const stop = new AbortController();
      setMaxListeners(0, stop.signal);
      const forward = () => stop.abort(signal.reason);
      const tooMany = () => stop.abort(new Retry(`the sizes of its ${needed.length} images are not all read yet`));
      const timer = setTimeout(tooMany, settings.oneGoMs ?? ONE_GO_MS);
      signal.addEventListener("abort", forward, { once: true });
      const found = new Map<number, Size | { readonly problem: string }>();
      const waiting = needed.values();
      const lane = async () => {
        for (const { image, url } of waiting) {
          const size = await sizeOf(run, url, measure, stop.signal);
          found.set(image, size);
          if ("problem" in size) throw new Enough();
        }
      };
      try {
        await Promise.all(Array.from({ length: Math.min(LANES, needed.length) }, lane));
      } catch (error) {
        if (!(error instanceof Enough)) throw error;
      } finally {
        stop.abort(new Enough());
        clearTimeout(timer);
        signal.removeEventListener("abort", forward);
      }
      return found;
    },
    close: () => fetcher.close(),
  };
}

/** One image without a size decides the asset. */
class Enough extends Error {}
