/** Connections that a test can cut and mend: of the bus, and of TCP. */

import type { AddressInfo } from "node:net";
import { connect, createServer, type Socket } from "node:net";
import type { Bus, Delivery } from "../../services/runtime/bus/bus.js";
import { Retry } from "../../services/runtime/errors.js";

export interface Cuttable {
  cut(): void;
  mend(): void;
}

/** A bus whose broker goes away: nothing is published, nothing delivered, and what is held can not be settled, until it is back. */
export function cuttableBus(bus: Bus): Cuttable & { readonly bus: Bus } {
  let away = false;
  let withheld: (() => void)[] = [];
  const whenThere = <T>(work: () => Promise<T>): Promise<T> =>
    away ? new Promise((resolve, reject) => withheld.push(() => void work().then(resolve, reject))) : work();
  return {
    cut: () => {
      away = true;
    },
    mend: () => {
      away = false;
      const waiting = withheld;
      withheld = [];
      for (const deliver of waiting) deliver();
    },
    bus: {
      ...bus,
      ready: () => !away && bus.ready(),
      publish: (message, signal) => (away ? Promise.reject(new Retry("the broker is away")) : bus.publish(message, signal)),
      consume: (queue, options, deliver) =>
        bus.consume(queue, options, (delivery) => {
          const guarded: Delivery = {
            ...delivery,
            ack: () => whenThere(() => delivery.ack()),
            retry: (delayMs) => whenThere(() => delivery.retry(delayMs)),
          };
          if (away) withheld.push(() => deliver(guarded));
          else deliver(guarded);
        }),
    },
  };
}

export interface CuttableProxy extends Cuttable {
  /** host:port to dial. */
  readonly address: string;
  close(): Promise<void>;
}

/** A TCP proxy in front of an address that is told later. Cut, it drops every connection and refuses new ones. */
export async function cuttableProxy(target: () => string): Promise<CuttableProxy> {
  const sockets = new Set<Socket>();
  let away = false;
  const server = createServer((incoming) => {
    if (away) {
      incoming.destroy();
      return;
    }
    const [host, port] = target().split(":");
    const outgoing = connect(Number(port), host);
    for (const [socket, other] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const drop = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut: () => {
      away = true;
      drop();
    },
    mend: () => {
      away = false;
    },
    close: () => {
      drop();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
