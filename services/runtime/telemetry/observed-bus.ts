/**
 * Traces and metrics of every message, on whatever bus: wraps the port. Published with the trace context of the message that it was made
 * of, or with the one it is given in its headers. Messages whose asset is not kept (asset-sampler.ts) get no span: their headers are
 * passed on as they are.
 */
import type { Bus, Consumption, Delivery, OutgoingMessage } from "../bus/bus.js";
import { hold, type InFlight, inFlight, letGo } from "./in-flight.js";
import { inputIdOf } from "./message-place.js";
import { consumerOf, messageAttributes, producerOf, queueTemplate, sessionOf, TRACE_PARENT, traceHeaders } from "./messaging.js";
import {
  consumedMessages,
  heldMessages,
  processDuration,
  publishDuration,
  publishedBytes,
  queueLag,
  redeliveries,
  retries,
  sentMessages,
} from "./metrics.js";
import { knowRun, runTrace } from "./run-traces.js";
import { SERVER_TIMING, withTiming } from "./server-timing.js";
import { isSampled, isTraceParent, sampled, type TraceParent } from "./traceparent.js";
import { errorType, type Span, startSpan } from "./tracing.js";

export interface ObservedBusOptions {
  /** `messaging.system`: nats, kafka; a bus of our own has a name of its own. */
  readonly system: string;
}

/** The bus, observed. It goes around everything else that wraps the port. */
export function observedBus(bus: Bus, { system }: ObservedBusOptions): Bus {
  const figures = createFigures(bus, system);
  const consumptions = new Set<() => void>();
  return {
    async publish(message, signal) {
      const figure = figures(message.queue);
      const startedAt = performance.now();
      const { traced, span } = withTrace(message, system);
      try {
        await bus.publish(traced, signal);
      } catch (error) {
        sentMessages.add(1, { ...figure.attributes, "error.type": errorType(error) });
        span?.fail(error);
        throw error;
      } finally {
        span?.end();
      }
      figure.sent(1);
      figure.sentBytes(message.body.byteLength);
      figure.publishSeconds((performance.now() - startedAt) / 1000);
    },

    async consume(queue, options, deliver): Promise<Consumption> {
      const figure = figures(queue);
      const holding = new Set<InFlight>();
      figure.consumed(0);
      figure.redelivered(0);
      retries.add(0, { "maskline.stage": "message" });
      const endHeld = heldMessages.observe(() => [[holding.size, figure.attributes]]);
      const end = () => {
        consumptions.delete(end);
        endHeld();
        for (const message of holding) {
          message.span?.event("handed back");
          message.span?.end();
          letGo(message);
        }
        holding.clear();
      };
      consumptions.add(end);
      const take = (delivery: Delivery) => {
        const message = received(delivery, system);
        holding.add(message);
        hold(message);
        figure.consumed(1);
        if (delivery.attempt > 1) figure.redelivered(1);
        /** False when it was settled before. */
        const settled = () => {
          if (!holding.delete(message)) return false;
          letGo(message);
          return true;
        };
        const { queue, key, id, headers, body, attempt } = delivery;
        deliver({
          queue,
          key,
          id,
          headers,
          body,
          attempt,
          ack() {
            if (settled()) {
              figure.processSeconds((performance.now() - message.startedAt) / 1000);
              message.span?.end();
            }
            return delivery.ack();
          },
          retry(delayMs) {
            if (settled()) {
              const seconds = (performance.now() - message.startedAt) / 1000;
              processDuration.record(seconds, { ...figure.attributes, "error.type": "handed_back" });
              retries.add(1, { "maskline.stage": "message" });
              message.span?.set({ "error.type": "handed_back", "maskline.retry.delay_ms": delayMs });
              message.span?.end();
            }
            return delivery.retry(delayMs);
          },
        });
      };
      const consumption = await bus.consume(queue, options, take).catch((error: unknown) => {
        end();
        throw error;
      });
      return {
        stop: () => consumption.stop(),
        async release() {
          end();
          await consumption.release();
        },
      };
    },

    lag: (queue) => bus.lag(queue),
    ready: () => bus.ready(),
    close() {
      for (const end of [...consumptions]) end();
      figures.end();
      return bus.close();
    },
  };
}

/** The message as it goes out: with the context of its own span, or of its run when it has none. */
function withTrace(message: OutgoingMessage, system: string): { readonly traced: OutgoingMessage; readonly span: Span | undefined } {
  const input = message.headers[TRACE_PARENT] === undefined ? inFlight(inputIdOf(message.id)) : undefined;
  const parent = message.headers[TRACE_PARENT] ?? input?.traceparent;
  if (!isTraceParent(parent)) return { traced: message, span: undefined };
  const timed = input ? { ...message.headers, [SERVER_TIMING]: timing(input) } : message.headers;
  if (!isSampled(parent)) return { traced: input ? { ...message, headers: { ...input.headers, ...timed } } : message, span: undefined };

  const session = sessionOf(input?.headers ?? message.headers) ?? runTrace(message.key)?.session;
  const span = startSpan(`publish ${queueTemplate(message.queue)}`, parent, {
    role: input ? consumerOf(input.queue) : producerOf(message.queue),
    kind: "producer",
    attributes: {
      ...messageAttributes(message, session, system),
      "messaging.operation.name": "publish",
      "messaging.operation.type": "send",
    },
  });
  return { traced: { ...message, headers: { ...timed, ...traceHeaders(span?.traceparent ?? parent, session) } }, span };
}

function timing({ headers, queue, startedAt }: InFlight): string {
  return withTiming(headers[SERVER_TIMING], queue, performance.now() - startedAt);
}

/** What is to be known of a delivered message while it is held. */
function received(delivery: Delivery, system: string): InFlight {
  const { headers, id, key, queue } = delivery;
  const message = (traceparent: TraceParent | undefined, span: Span | undefined): InFlight => {
    return { id, queue, traceparent, span, headers, startedAt: performance.now(), begun: false };
  };
  const parent = headers[TRACE_PARENT];
  if (!isTraceParent(parent)) return message(undefined, undefined);
  const known = runTrace(key);
  if (!isSampled(parent) && known?.session !== undefined) return message(parent, undefined);
  const session = sessionOf(headers);
  const span = startSpan(`process ${queueTemplate(queue)}`, parent, {
    role: consumerOf(queue),
    kind: "consumer",
    link: parent,
    attributes: {
      ...messageAttributes(delivery, session, system),
      "messaging.operation.name": "process",
      "messaging.operation.type": "process",
      "maskline.attempt": delivery.attempt,
    },
  });
  const traceparent = span?.traceparent ?? parent;
  // The first message of a run that comes here stands for the run: what is asked about it belongs to that trace.
  if (known === undefined || known.session !== session) knowRun(key, { traceparent: known?.traceparent ?? sampled(traceparent), session });
  return message(traceparent, span);
}

interface Figures {
  readonly attributes: { readonly "messaging.system": string; readonly "messaging.destination.template": string };
  readonly sent: (messages: number) => void;
  readonly sentBytes: (bytes: number) => void;
  readonly publishSeconds: (seconds: number) => void;
  readonly consumed: (messages: number) => void;
  readonly redelivered: (messages: number) => void;
  readonly processSeconds: (seconds: number) => void;
}

/** The metrics of each queue, looked up once a queue and not once a message. Whoever uses a queue, also who only publishes, shows its lag. */
function createFigures(bus: Pick<Bus, "lag">, system: string) {
  const known = new Map<string, Figures>();
  const ends: (() => void)[] = [];
  const figures = (queue: string): Figures => {
    const found = known.get(queue);
    if (found) return found;
    const attributes = { "messaging.system": system, "messaging.destination.template": queueTemplate(queue) };
    const fresh: Figures = {
      attributes,
      sent: sentMessages.bind({ ...attributes, "error.type": "" }),
      sentBytes: publishedBytes.bind(attributes),
      publishSeconds: publishDuration.bind(attributes),
      consumed: consumedMessages.bind(attributes),
      redelivered: redeliveries.bind(attributes),
      processSeconds: processDuration.bind({ ...attributes, "error.type": "" }),
    };
    known.set(queue, fresh);
    ends.push(queueLag.observe(async () => [[await bus.lag(queue), attributes]]));
    return fresh;
  };
  figures.end = () => {
    for (const end of ends.splice(0)) end();
    known.clear();
  };
  return figures;
}
