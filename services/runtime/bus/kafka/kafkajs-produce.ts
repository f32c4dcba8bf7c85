/**
 * What kafkajs publishes is written by produce-request.ts. It has no place for that, so its brokers are changed: of kafkajs 2.2.4, which is
 * pinned. Leaders, answers, errors and connections stay with kafkajs; transactions and compression, which nobody here uses, are left out.
 */
import { createRequire } from "node:module";
import { encodeProduce, lengthOf, type ProduceOptions } from "./produce-request.js";

interface ProtocolRequest {
  readonly request: { readonly apiVersion: number; readonly encode: () => Promise<unknown> };
}

interface KafkajsBroker {
  readonly connectionPool: { send(request: ProtocolRequest): Promise<unknown> };
}

interface BrokerPrototype {
  produce(this: KafkajsBroker, options: ProduceOptions): Promise<unknown>;
}

/** From here on a request has record batches of the second version. */
const FIRST_VERSION = 3;
let isTaught = false;

/** For all connections of this process, once. */
export function encodeProduceFast(): void {
  if (isTaught) return;
  isTaught = true;
  const { prototype }: { readonly prototype: BrokerPrototype } = createRequire(import.meta.url)("kafkajs/src/broker/index.js");
  const { produce } = prototype;
  prototype.produce = function (options) {
    const { connectionPool } = this;
    const send = (protocol: ProtocolRequest) => {
      if (protocol.request.apiVersion < FIRST_VERSION) return connectionPool.send(protocol);
      return connectionPool.send({ ...protocol, request: { ...protocol.request, encode: async () => asEncoder(options) } });
    };
    const pool = Object.create(connectionPool, { send: { value: send } });
    return produce.call(Object.create(this, { connectionPool: { value: pool } }), options);
  };
}

/** As much of kafkajs' Encoder, and of the buffer in it, as is asked of one that is written into another. */
function asEncoder(options: ProduceOptions) {
  const pieces = encodeProduce(options, Date.now());
  const copy = (target: Buffer, start: number) => {
    let at = start;
    for (const piece of pieces) at += piece.copy(target, at);
    return at - start;
  };
  return { buf: Buffer.alloc(0), buffer: { length: lengthOf(pieces), copy } };
}
