/**
 * What the filter's main thread asks of its workers, and what they answer: messages for most assets; for some also which images are needed,
 * and what the first bytes of an image say. All of it crosses threads and, for suspect messages, processes as bytes.
 */
import { deserialize, serialize } from "node:v8";
import type { StepOutput } from "../runtime/step.js";
import type { ImageHead, Measured } from "./image-header.js";
import type { ImageNeeded, ImageSizes } from "./size.js";

export type FilterTask =
  /** An AssetExported, and what is known from its images. */
  | { readonly message: Uint8Array; readonly images: ImageSizes }
  /** The first bytes of an image. */
  | { readonly head: ImageHead };

export type FilterAnswer = { readonly needed: readonly ImageNeeded[] } | { readonly measured: Measured };

/** Serialised tasks begin with this byte, messages never do: as a tag of Protocol Buffers it would be of a wire type that does not exist. */
const TASK_MARK = 0xff;

/** A message alone is its own task: most are, and none is copied. */
export function encodeTask(task: FilterTask): Uint8Array {
  return serialize(task);
}

/** Whether a message would be taken for another task. */
export function isNoMessage(body: Uint8Array): boolean {
  return body[0] === TASK_MARK;
}

export function decodeTask(input: Uint8Array): FilterTask {
  return isNoMessage(input) ? deserialize(input) : { message: input, images: new Map() };
}

/** No queue of the bus has this name: the main thread keeps what is addressed to it. */
const MAIN_THREAD = "";

export function encodeAnswer(answer: FilterAnswer): StepOutput {
  return { queue: MAIN_THREAD, suffix: "", body: serialize(answer) };
}

/** Undefined when these are messages. */
export function answerIn(outputs: readonly StepOutput[]): FilterAnswer | undefined {
  const [first] = outputs;
  return first?.queue === MAIN_THREAD ? deserialize(first.body) : undefined;
}
