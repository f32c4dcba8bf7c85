/** Spans of messages, by OpenTelemetry's conventions for messaging; what of them travels with a message. */
import { pipeline } from "../../../proto/pipeline.js";
import type { OutgoingMessage } from "../bus/bus.js";
import { placeOf } from "./message-place.js";
import type { TraceParent } from "./traceparent.js";
import type { Attributes } from "./tracing.js";

export const TRACE_PARENT = "traceparent";
/** https://www.w3.org/TR/baggage: carries the session's id, so that every service can name it. */
const BAGGAGE = "baggage";
const SESSION = "maskline.session";

/** Longer ids are not carried: brokers bound headers. */
const MAX_SESSION = 200;

/** The queue's name without what differs between installations. */
export function queueTemplate(queue: string): string {
  return queue.replace(/\..*$/, ".{packager}");
}

/** The services that use the queues, for spans: who consumes, and who publishes when it is not known from the message before. */
export function consumerOf(queue: string): string {
  return hopOf(queue)?.consumer ?? "unknown";
}

export function producerOf(queue: string): string {
  return hopOf(queue)?.producer ?? "unknown";
}

function hopOf(queue: string) {
  const template = queueTemplate(queue);
  return Object.values(pipeline).find((hop) => hop.queue("{packager}") === template);
}

/** The headers that a message of the session's run carries. */
export function traceHeaders(traceparent: TraceParent, session: string | undefined): Readonly<Record<string, string>> {
  const encoded = encodeURIComponent(session ?? "");
  if (encoded === "" || encoded.length > MAX_SESSION) return { [TRACE_PARENT]: traceparent };
  return { [TRACE_PARENT]: traceparent, [BAGGAGE]: `${SESSION}=${encoded}` };
}

/** The session that a message's headers name. */
export function sessionOf(headers: Readonly<Record<string, string>>): string | undefined {
  const member = headers[BAGGAGE]
    ?.split(",")
    .map((text) => text.trim())
    .find((text) => text.startsWith(`${SESSION}=`));
  try {
    return member && decodeURIComponent(member.slice(SESSION.length + 1));
  } catch {
    return undefined;
  }
}

/** What every span of a message says of it. */
export function messageAttributes(
  { queue, key, id, body }: Pick<OutgoingMessage, "queue" | "key" | "id" | "body">,
  session: string | undefined,
  system: string,
): Attributes {
  const place = placeOf(id);
  return {
    // The conventions have renamed it; what reads traces knows the one or the other.
    "messaging.system": system,
    "messaging.system.name": system,
    "messaging.destination.name": queue,
    "messaging.destination.template": queueTemplate(queue),
    "messaging.message.id": id,
    "messaging.message.conversation_id": session ?? key,
    "messaging.message.body.size": body.byteLength,
    "maskline.run": key,
    "maskline.asset.index": place?.index,
    "maskline.asset.part": place?.part,
  };
}
