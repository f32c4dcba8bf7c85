/** Asks for as many messages as there is room for, and for no more. */
import type { Msg } from "@nats-io/transport-node";
import type { Logger } from "../../log.js";
import type { ConsumeOptions } from "../bus.js";
import type { HeldMessages } from "./held.js";
import type { Link } from "./link.js";
import { PullInbox, type RequestEnd } from "./pull-inbox.js";
import type { QueueConsumer } from "./streams.js";

/** Before asking again a server that can not deliver now. */
const BUSY_PAUSE_MS = 250;

export interface PullerParts {
  readonly link: Link;
  readonly queue: string;
  readonly held: HeldMessages;
  readonly options: Pick<ConsumeOptions, "maxHeld" | "maxHeldBytes">;
  readonly onMessage: (message: Msg) => void;
  /** A message that came after `close`: nobody asked for it. */
  readonly onStray: (message: Msg) => void;
  /** The consumer or its stream is not there. */
  readonly onGone: () => void;
  readonly onRefused: (error: Error) => void;
  readonly log: Logger;
}

export class Puller {
  #inbox: PullInbox | undefined;
  /** The next message did not fit beside what is held. */
  #isLarge = false;
  #pause: NodeJS.Timeout | undefined;

  constructor(private readonly parts: PullerParts) {}

  get isOpen(): boolean {
    return this.#inbox !== undefined;
  }

  /** The server seems to have forgotten what it was asked. */
  get isSilent(): boolean {
    return this.#inbox?.isSilent ?? false;
  }

  /** Whether it asks by publishing to this subject. */
  concerns(subject: string): boolean {
    return this.#inbox?.concerns(subject) ?? false;
  }

  open(consumer: QueueConsumer): void {
    const inbox: PullInbox = new PullInbox(this.parts.link.nc, consumer, {
      onMessage: (message) => this.#arrived(inbox, message),
      onEnd: (end, description) => this.#requestEnded(end, description),
      onRefused: this.parts.onRefused,
    });
    this.#inbox = inbox;
    this.ask();
  }

  /** Asks no more. Resolves when all that was on its way has arrived. */
  async close(): Promise<void> {
    clearTimeout(this.#pause);
    const inbox = this.#inbox;
    this.#inbox = undefined;
    await inbox?.close();
  }

  /** A message was settled. */
  settled(): void {
    if (this.parts.held.size > 0) this.#isLarge = false;
    this.ask();
  }

  ask(): void {
    const inbox = this.#inbox;
    const { link, held, options } = this.parts;
    if (!inbox || inbox.isAsking || !link.up) return;
    clearTimeout(this.#pause);
    const room = options.maxHeld - held.size;
    const bytes = options.maxHeldBytes - held.bytes;
    if (held.size === 0) inbox.ask(room, this.#isLarge ? undefined : bytes);
    else if (room > 0 && bytes > 0 && !this.#isLarge) inbox.ask(room, bytes);
  }

  #arrived(inbox: PullInbox, message: Msg): void {
    if (inbox !== this.#inbox) {
      this.parts.onStray(message);
      return;
    }
    this.#isLarge = false;
    this.parts.onMessage(message);
  }

  #requestEnded(end: RequestEnd, description: string): void {
    if (end === "gone") {
      this.parts.onGone();
      return;
    }
    if (end === "tooLarge") this.#isLarge = true;
    if (end !== "busy") {
      this.ask();
      return;
    }
    this.parts.log.debug({ queue: this.parts.queue, description }, "NATS can not deliver now; asking again");
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => this.ask(), BUSY_PAUSE_MS);
  }
}
