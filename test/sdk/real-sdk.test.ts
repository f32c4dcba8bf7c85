/** The vendor's own package against our simulator: what it sends is still what the fixtures say, and every session of it ends. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { skipReason } from "../brokers/required.js";
import { readFixture } from "./fixtures.js";
import { recordPlugin } from "./recording.js";
import { sdkOf, startSdkPlugin } from "./sdk-plugin.js";

const python = process.env.SDK_PYTHON ?? "python3";
const sdk = sdkOf(python);
const skip = "missing" in sdk ? skipReason("sdk", sdk.missing) : false;

describe("the official Python SDK, unmodified", { skip, timeout: 60_000, concurrency: true }, () => {
  for (const connector of ["WS", "REST"] as const) {
    it(`${connector}: runs all sessions against the simulator, and sends what was recorded of it`, async () => {
      const { of, ...recorded } = readFixture(connector);
      const recording = await recordPlugin((hub) => startSdkPlugin(python, connector, hub));
      assert.deepEqual(recording, recorded, `recorded of ${of}; now it is ${"version" in sdk ? sdk.version : ""}`);
    });
  }
});
