/** Our frames and requests against those of the vendor's own package (test/sdk/record.ts records them). No Python is needed. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { startServices } from "../hazards/services.js";
import { type Fixture, readFixture } from "./fixtures.js";
import { PLUGIN, type RecordedRequest, type Recording, recordPlugin } from "./recording.js";

/** What we ask of Hub beyond the package: classes, colours, stages and batches. */
const OURS_ALONE = "project";
/** Says what the client is, which may differ. */
const ALLOWED_HEADERS = ["accept", "accept-encoding", "connection", "host", "user-agent"];

async function recordOurs(connector: "WS" | "REST", env: Readonly<Record<string, string>> = {}): Promise<Recording> {
  const dataDir = await mkdtemp(join(tmpdir(), "maskline-wire-"));
  try {
    return await recordPlugin(async (hub) => {
      const services = await startServices({ connector, hub, ...PLUGIN, dataDir, port: 0, onLine: () => undefined, env });
      return { pluginServer: connector === "REST" ? `http://127.0.0.1:${services.port}` : undefined, stop: services.stop };
    });
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

for (const connector of ["WS", "REST"] as const) {
  describe(`${connector}: on the wire we are the official package:`, { timeout: 120_000 }, () => {
    const theirs: Fixture = readFixture(connector);
    let ours: Recording;
    before(async () => {
      ours = await recordOurs(connector);
    });
    after(() => assert.deepEqual(Object.keys(ours.sessions), Object.keys(theirs.sessions)));

    const sessions = () =>
      Object.entries(theirs.sessions).map(([name, session]) => ({ name, theirs: session, ours: sessionOf(ours, name) }));

    if (connector === "WS") {
      it("the handshake goes to the same place, joins the same namespace, and the heartbeat is the first word", () => {
        assert.deepEqual(ours.handshake?.query, theirs.handshake?.query);
        // Both join without credentials; "{}" is how one library writes none.
        assert.equal(ours.handshake?.join.replace("{}", ""), theirs.handshake?.join.replace("{}", ""));
        assert.deepEqual(ours.greeting, theirs.greeting);
      });

      it("each event has one argument with the same fields, types and order, and asks for no acknowledgement", () => {
        for (const { name, ours, theirs } of sessions()) {
          for (const event of ours.events) {
            const known = theirs.events.filter((other) => other.event === event.event);
            assert.ok(known.length > 0, `${name}: ${event.event} is not theirs`);
            assert.deepEqual(event, known[0], name);
          }
          assert.deepEqual(ours.events.at(-1), theirs.events.at(-1), `${name}: the result comes last`);
        }
      });
    } else {
      it("the server answers the same calls in the same way", () => assert.deepEqual(ours.server, theirs.server));

      it("logs and results are posted with the same fields, types and order, and the result comes last", () => {
        for (const { name, ours, theirs } of sessions()) {
          const posts = (requests: readonly RecordedRequest[]) => requests.filter(({ method }) => method === "POST");
          for (const { fields, ...post } of posts(ours.requests)) {
            const known = posts(theirs.requests).filter((other) => other.name === post.name);
            assert.ok(
              known.some((other) => JSON.stringify(other.fields) === JSON.stringify(fields)),
              `${name}: ${post.name} with ${fields?.join(", ")}`,
            );
          }
          assert.equal(ours.requests.at(-1)?.name, "pluginResponse");
          assert.deepEqual(ours.requests.at(-1)?.fields, theirs.requests.at(-1)?.fields);
        }
      });

      it("the POST of a session is answered with the same; held until the result, as theirs, when it is set so", async () => {
        const plain = sessionOf(theirs, "plain").posted;
        assert.deepEqual(plain, { status: 200, body: "null", afterResult: true });
        assert.deepEqual(sessionOf(ours, "plain").posted, { ...plain, afterResult: false });
        const held = await recordOurs("REST", { POST_ANSWER: "result" });
        for (const { posted } of Object.values(held.sessions)) assert.deepEqual(posted, plain);
      });
    }

    it("a session asks for the same things in the same order, the archive's links before its upload", () => {
      for (const { name, ours, theirs } of sessions()) {
        if (name === "failing") continue;
        const order = (requests: readonly RecordedRequest[]) =>
          requests.map((request) => request.name).filter((request) => request !== OURS_ALONE && request !== "pluginLog");
        assert.deepEqual(order(ours.requests), order(theirs.requests), name);
      }
    });

    it("each of these requests is the same to the letter, but for the encoding of a link within a link", () => {
      for (const { name, ours, theirs } of sessions()) {
        for (const request of theirs.requests) {
          const own = ours.requests.find((other) => other.name === request.name);
          if (name === "failing" && !own) continue;
          assert.ok(own, `${name}: ${request.name}`);
          assert.equal(own.method, request.method);
          if (request.name === "getSignedUrl") assert.deepEqual(signedOf(own.target), signedOf(request.target));
          else assert.equal(own.target, request.target, name);
          assert.equal(own.keyed, request.keyed, `${request.name} carries the key, or does not`);
          assert.equal(own.contentType, request.contentType, `Content-Type of ${request.name}`);
        }
      }
    });

    it("no request has a header that theirs has not; an upload has its length and nothing that would break its signature", () => {
      for (const { ours, theirs } of sessions()) {
        for (const request of ours.requests) {
          const known = theirs.requests.find((other) => other.name === request.name)?.headers ?? [];
          const extra = request.headers.filter((header) => !known.includes(header) && !ALLOWED_HEADERS.includes(header));
          assert.deepEqual(extra, request.name === OURS_ALONE ? ["apikey", "content-type"] : [], request.name);
        }
        const upload = ours.requests.find(({ name }) => name === "upload");
        if (upload) assert.ok(upload.headers.includes("content-length"));
      }
    });
  });
}

function sessionOf({ sessions }: Recording, name: string): Recording["sessions"][string] {
  const session = sessions[name];
  if (!session) throw new Error(`the session ${name} was not recorded`);
  return session;
}

/** What Hub finds in the query: it strips the name at its question mark (docs/hub-protocol.md section 5.4). */
function signedOf(target: string): Readonly<Record<string, string | null | undefined>> {
  const { searchParams, pathname } = new URL(target, "http://hub");
  return {
    pathname,
    name: searchParams.get("name")?.split("?")[0],
    project: searchParams.get("project"),
    type: searchParams.get("type"),
    storage: searchParams.get("storageId"),
  };
}
