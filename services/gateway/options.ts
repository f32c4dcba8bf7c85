import type { ListenOptions } from "../runtime/grpc.js";
import type { CreditLimits } from "./credits.js";
import type { ExportLimits } from "./export-store.js";
import type { HubEnd } from "./hub.js";
import type { Timing } from "./timing.js";

/** Everything that the gateway is started with; complete, for inner code knows no defaults. */
export interface GatewayOptions {
  readonly hub: HubEnd;
  /** Names this gateway in messages and to packagers; the same after every restart on this volume. */
  readonly gatewayId: string;
  /** The plugin's id in Hub: sessions are told apart within it. */
  readonly plugin: string;
  /** The gateway keeps everything in `<dataDir>/gateway`. */
  readonly dataDir: string;
  /** Encrypts what is stored; undefined: it is not encrypted. */
  readonly stateKey: string | undefined;
  readonly grpc: ListenOptions;
  /** What the bus holds is gone after a restart of this process. */
  readonly volatileBus: boolean;
  readonly maxSessions: number;
  readonly credits: CreditLimits;
  readonly exportLimits: ExportLimits;
  /** About so many assets of a session are traced, where tracing is on. */
  readonly tracedAssets: number;
  readonly timing: Timing;
}
