/** The four services in one process: they share nothing but the bus port and gRPC on the loopback, as if they were far apart. */
import { randomBytes } from "node:crypto";
import { type FilterOptions, startFilter } from "./filter/main.js";
import { startGateway } from "./gateway/main.js";
import type { GatewayOptions } from "./gateway/options.js";
import type { PackagerOptions } from "./packager/main.js";
import { startPackager } from "./packager/main.js";
import { type RasterizerOptions, startRasterizer } from "./rasterizer/main.js";
import { connectGateway, type ListenOptions } from "./runtime/grpc.js";
import { together } from "./runtime/lifecycle.js";
import type { Platform, Service } from "./runtime/service.js";

export interface AllOptions {
  readonly gateway: Omit<GatewayOptions, "grpc">;
  /** Port of gRPC on the loopback; 0: a free one. */
  readonly grpcPort: number;
  /** What the services show each other; a random one when not given, for nobody else needs it. */
  readonly grpcToken?: string;
  readonly filter: Omit<FilterOptions, "gateways">;
  readonly rasterizer: RasterizerOptions;
  readonly packager: Omit<PackagerOptions, "gateways">;
  /** Given the gateway's gRPC address, the one that the others dial; tests put something in between. */
  readonly dial?: (address: string) => string;
}

/** Starts the gateway first, for the others dial it; stops in reverse. */
export async function startAll(platform: Platform, options: AllOptions): Promise<Service> {
  const token = options.grpcToken ?? randomBytes(32).toString("base64url");
  const started: Service[] = [];
  try {
    const grpc: ListenOptions = { host: "127.0.0.1", port: options.grpcPort, token, log: platform.log };
    const gateway = await startGateway(platform, { ...options.gateway, grpc });
    started.push(gateway);
    const address = `127.0.0.1:${gateway.grpcPort}`;
    const connection = connectGateway(options.dial?.(address) ?? address, token);
    started.push({ notReady: () => undefined, stop: async () => connection.close() });
    started.push(await startPackager(platform, { ...options.packager, gateways: [connection] }));
    started.push(await startRasterizer(platform, options.rasterizer));
    started.push(await startFilter(platform, { ...options.filter, gateways: [connection] }));
  } catch (error) {
    await together(started).stop();
    throw error;
  }
  return together(started);
}
