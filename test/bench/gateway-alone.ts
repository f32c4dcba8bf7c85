/**
 * The gateway as a process of its own, for measuring it: on a memory bus whose messages are taken at once, and a packager that accounts
 * for each and keeps nothing. Configured by the environment, as `maskline gateway`; ends with its standard input.
 */
import { join } from "node:path";
import { startGateway } from "../../services/gateway/main.js";
import { createFileBlobs } from "../../services/runtime/blob/file.js";
import { claimCheck, DEFAULT_INLINE_BYTES } from "../../services/runtime/bus/claim-check.js";
import { createMemoryBus } from "../../services/runtime/bus/memory.js";
import { readConfig } from "../../services/runtime/config.js";
import { keepHeapsSmall } from "../../services/runtime/heap.js";
import { createLogger } from "../../services/runtime/log.js";
import { allKeys, liveGatewaySettings } from "../../services/settings.js";
import { FakePackager } from "../gateway/fake-packager.js";

const TOKEN = "bench";

keepHeapsSmall();
const config = readConfig(allKeys, process.env);
const log = createLogger(config.logLevel);
const blobs = await createFileBlobs(join(config.dataDir, "blobs"));
const bus = claimCheck(createMemoryBus({ maxMessages: 512, maxBytes: 2 ** 25 }), blobs, { inlineBytes: DEFAULT_INLINE_BYTES, log });
const onFatal = (error: Error) => {
  throw error;
};
const gateway = await startGateway(
  { bus, blobs, log, onFatal },
  { ...liveGatewaySettings(config, { volatileBus: true, log }), grpc: { host: "127.0.0.1", port: 0, token: TOKEN } },
);
const packager = new FakePackager("bench", "ledger", gateway.grpcPort, TOKEN);
await bus.consume("filter", { maxHeld: 64, maxHeldBytes: 8 * 2 ** 20, onFatal }, (delivery) => {
  packager.account(delivery);
  void delivery.ack();
});
process.stdin.resume().once("end", () => process.exit(0));
