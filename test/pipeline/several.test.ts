/** What holds with several gateways and packagers (docs/delivery.md rules 7, 10, 11, 13 and 17 to 20). */
import assert from "node:assert/strict";
import { afterEach, before, beforeEach, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { AssetExported, AssetOutcome, type Envelope, MaskRequested } from "../../proto/gen/maskline/v1/pipeline.js";
import type { SessionHandle } from "../hub-simulator/sessions.js";
import { eventuallyHolds } from "../support/eventually-holds.js";
import { startPipeline } from "./pipeline.js";
import { polygon, row, square } from "./rows.js";
import { type Several, startSeveral } from "./several.js";

const ASSETS = 150;
const WAIT_MS = 20_000;
const rows = Array.from({ length: ASSETS }, (_, index) =>
  row({
    id: `task-${index}`,
    tools: index % 7 === 6 ? null : [polygon("Road", "road", square(index % 9, 1, 4))],
    // Nobody labeled these: they are skipped, which is the filter's outcome.
    standing: index % 11 === 10 ? "untouched" : "labeled",
  }),
);

function envelopeOf({ queue, body }: { readonly queue: string; readonly body: Uint8Array }): Envelope {
  const message = queue === "filter" ? AssetExported : queue === "raster" ? MaskRequested : AssetOutcome;
  const { envelope } = message.decode(body);
  assert.ok(envelope);
  return envelope;
}

describe("with two plugins and two packagers", () => {
  let expected: Buffer;
  let several: Several;
  before(async () => {
    const pipeline = await startPipeline({ rows });
    const { bytes } = await pipeline.run();
    await pipeline.close();
    assert.ok(bytes);
    expected = bytes;
  });
  beforeEach(async () => {
    several = await startSeveral(rows, { SESSION_WINDOW: "20" });
    several.letThrough(30);
  });
  afterEach(() => several.close());

  const answered = async (handle: SessionHandle) => {
    assert.equal((await handle.result).export, true, handle.logs.map(({ msg }) => msg).join("\n"));
    assert.ok((await handle.download()).equals(expected), "the archive is that of an undisturbed session");
    assert.equal(handle.results.length, 1);
  };
  const packagersOf = (gateway: string) =>
    new Set(several.published.map(envelopeOf).flatMap((envelope) => (envelope.gateway === gateway ? [envelope.packager] : [])));
  const begun = (handle: SessionHandle) =>
    eventuallyHolds(() => assert.ok(handle.logs.some(({ msg }) => /^\d+ of 150/.test(msg))), WAIT_MS);

  it("their sessions are spread over the packagers, and each message names its own gateway and packager to the end", {
    timeout: 60_000,
  }, async () => {
    await several.startPackager("p1");
    await several.startPackager("p2");
    const [a, b] = several.plugins;
    await sleep(500);
    const first = await a.press();
    // The other gateway knows of it by what the packager says in Sync.
    await begun(first);
    await sleep(500);
    const second = await b.press();
    await eventuallyHolds(() => assert.equal(packagersOf("gateway-b").size, 1), WAIT_MS);
    several.letThrough(Number.POSITIVE_INFINITY);
    await Promise.all([answered(first), answered(second)]);
    assert.deepEqual([packagersOf("gateway-a").size, packagersOf("gateway-b").size], [1, 1]);
    assert.notDeepEqual(packagersOf("gateway-a"), packagersOf("gateway-b"));
    const gatewayOf = new Map<string, string>();
    for (const message of several.published) {
      const { run, gateway, packager, epoch, round, index } = envelopeOf(message);
      assert.equal(gatewayOf.get(run) ?? gateway, gateway);
      gatewayOf.set(run, gateway);
      assert.equal(message.key, run);
      assert.ok(message.id === `${run}/${epoch}.${round}/${index}` || message.id.startsWith(`${run}/${epoch}.${round}/${index}/`));
      if (message.queue.startsWith("out.")) assert.equal(message.queue, `out.${packager}`);
    }
    assert.deepEqual(several.fatal, []);
  });

  it("a gateway that nobody reaches keeps no other plugin's session, and goes on with its own when it is back", {
    timeout: 60_000,
  }, async () => {
    await several.startPackager("p1");
    const [a, b] = several.plugins;
    const waiting = await a.press();
    await begun(waiting);
    a.connection.cut();
    several.letThrough(Number.POSITIVE_INFINITY);
    await answered(await b.press());
    assert.equal(waiting.results.length, 0);
    // Longer than a silence: there is no other packager, so that nothing is begun anew.
    await sleep(3_500);
    a.connection.mend();
    await answered(waiting);
    assert.ok(several.published.map(envelopeOf).every(({ epoch }) => epoch === 1));
    assert.deepEqual(several.fatal, []);
  });

  it("a packager that falls silent loses its sessions to the other one, also those of both plugins, and what it brings later is not taken", {
    timeout: 60_000,
  }, async () => {
    await several.startPackager("p1");
    const [a, b] = several.plugins;
    const handles = [await a.press(), await b.press()];
    await Promise.all(handles.map(begun));
    await several.stopPackager("p1");
    await several.startPackager("p2");
    await eventuallyHolds(() => {
      for (const { gatewayId } of several.plugins) assert.ok(packagersOf(gatewayId).has("p2"));
    }, WAIT_MS);
    several.letThrough(Number.POSITIVE_INFINITY);
    // It is back, on its volume, with what it had and with what was published for it meanwhile.
    await several.startPackager("p1");
    await Promise.all(handles.map(answered));
    const places = several.published.map(envelopeOf).map(({ packager, epoch }) => `${packager} ${epoch}`);
    assert.deepEqual([...new Set(places)].sort(), ["p1 1", "p2 2"]);
    // Both delete what they hold, as soon as they hear that the sessions have ended.
    for (const volume of ["p1", "p2"]) {
      await eventuallyHolds(async () => assert.deepEqual(await several.spooled(volume), []), WAIT_MS);
    }
    assert.deepEqual(several.fatal, []);
  });

  it("two packagers with one id are found out: one of them stops and says why, and the session ends as it should", {
    timeout: 60_000,
  }, async () => {
    await several.startPackager("p1", "first");
    const [a] = several.plugins;
    const handle = await a.press();
    await begun(handle);
    await several.startPackager("p1", "second");
    await eventuallyHolds(() => assert.ok(several.fatal.length > 0), WAIT_MS);
    assert.match(several.fatal[0] ?? "", /can not go on.*heard as p1, from another volume: give each packager its own PACKAGER_ID/);
    several.letThrough(Number.POSITIVE_INFINITY);
    // Whoever runs it stops both, and starts one.
    await several.stopPackager("p1");
    await several.startPackager("p1", "second");
    await answered(handle);
  });
});
