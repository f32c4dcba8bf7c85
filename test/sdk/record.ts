/**
 * Records what the vendor's own package sends, on both connectors, into test/sdk/fixtures/:
 *
 *     python3 -m venv /tmp/sdk && /tmp/sdk/bin/pip install imerit-ango
 *     node dist/test/sdk/record.js /tmp/sdk/bin/python && npx biome format --write test/sdk/fixtures
 */
import { writeFixture } from "./fixtures.js";
import { recordPlugin } from "./recording.js";
import { sdkOf, startSdkPlugin } from "./sdk-plugin.js";

const python = process.argv[2] ?? "python3";
const sdk = sdkOf(python);
if ("missing" in sdk) throw new Error(sdk.missing);
for (const connector of ["WS", "REST"] as const) {
  const recording = await recordPlugin((hub) => startSdkPlugin(python, connector, hub));
  writeFixture(connector, { of: sdk.version, ...recording });
  console.log(`${connector}: recorded ${Object.keys(recording.sessions).length} sessions of ${sdk.version}`);
}
