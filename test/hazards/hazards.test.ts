/** Each hazard of docs/hub-protocol.md section 9 on both connectors; number 3 is connections.test.ts, 7 memory.test.ts. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Fault, RequestName } from "../hub-simulator/http-answers.js";
import { row } from "../pipeline/rows.js";
import { eventuallyHolds } from "../support/eventually-holds.js";
import { type LocalHttp, startLocalHttp } from "../support/local-http.js";
import { assertArchive, assertCleanStage, assertError, assertNoSecrets, assertOneResult } from "./endings.js";
import { filesUnder } from "./files-under.js";
import { CONNECTORS, type ConnectorName } from "./services.js";
import { createGate, type Ended, inTime, linesOf, openStage, PATIENCE_MS, PLUGIN, ROWS, type Stage, type StageOptions } from "./stage.js";
import { exportZip, zipOf } from "./zips.js";

const CALLS: readonly RequestName[] = [
  "project",
  "export",
  "download",
  "getUploadUrl",
  "getSignedUrl",
  "upload",
  "pluginLog",
  "pluginResponse",
];

const PASSING: Readonly<Record<string, Fault>> = {
  "a 503": { status: 503 },
  "a 429 with Retry-After": { status: 429, headers: { "Retry-After": "0" } },
  "a reset": "reset",
};

/** A stage of its own, for what concerns more than one session. */
async function onStage(options: StageOptions, use: (stage: Stage) => Promise<void>, expected: { repeats?: boolean } = {}): Promise<void> {
  const stage = await openStage(options);
  try {
    await use(stage);
  } finally {
    await stage.close();
  }
  assertCleanStage(stage, expected);
}

function hazardsOver(connector: ConnectorName): void {
  let stage: Stage;
  before(async () => {
    stage = await openStage({ connector });
  });
  after(async () => {
    await stage.close();
    assertCleanStage(stage);
  });

  it("1: a session that was under way when the plugin stopped goes on after its next start, and is answered once", async () => {
    await onStage({ connector }, async (own) => {
      const gate = createGate();
      const trial = own.trial({ fault: ({ name, nth }) => (name === "export" && nth === 1 ? gate.opened : undefined) });
      const handle = await trial.press();
      await eventuallyHolds(() => assert.ok(trial.requests.includes("export")), PATIENCE_MS);
      await own.stopServices();
      gate.open();
      assert.deepEqual(handle.results, []);
      await own.startServices();
      assert.equal((await inTime(handle)).export, true);
    });
  });

  it("2: a failure is explained before the error, without the key and the links that Hub and its storage repeat in theirs", async () => {
    const echo = `key ${"key-canary"} at https://hub.test/v2/x?apikey=${"key-canary"}&X-Amz-Signature=abc`;
    const byHub = stage.trial({
      fault: ({ name, request }) =>
        name === "export"
          ? { status: 400, body: { status: "fail", message: `${request.headers.apikey} ${echo.replaceAll("key-canary", "")}` } }
          : undefined,
    });
    const byStorage = stage.trial({
      fault: ({ name, request }) =>
        name === "download"
          ? { status: 404, body: `<Error><Code>NoSuchKey</Code><Message>http://x${request.url}</Message></Error>` }
          : undefined,
    });
    assertError(await byHub.run(), /Exporting the project failed/, /\[redacted\]/);
    assertError(await byStorage.run(), /Downloading the export failed/, /NoSuchKey/);
  });

  it("4: while Hub takes nothing, lines wait or are left out, and the result is sent as soon as it takes something", async () => {
    let away = connector === "REST";
    await onStage({ connector, attempts: 2 }, async (own) => {
      const trial = own.trial({
        fault: ({ name }) => {
          if (connector === "WS" && name === "export") loseSockets(own);
          return away && (name === "pluginLog" || name === "pluginResponse") ? { status: 500 } : undefined;
        },
      });
      const running = trial.run({ configJSON: '{"verbose_frequency": 1}' });
      await eventuallyHolds(() => assert.equal(own.hub.uploads.length, 1), PATIENCE_MS);
      if (connector === "REST") await eventuallyHolds(() => assert.ok(trial.requests.includes("pluginResponse")), PATIENCE_MS);
      away = false;
      own.hub.refuseSockets(0);
      const ended = await running;
      assertArchive(ended);
      assert.equal(
        ended.lines.some((line) => line.startsWith("INFO Done")),
        connector === "WS",
      );
    });
  });

  for (const [what, fault] of Object.entries(PASSING)) {
    it(`5: each step of a session survives ${what}`, async () => {
      const faulty: RequestName[] = [];
      const trial = stage.trial({
        fault: ({ name, nth }) => {
          if (nth > 1 || name === "archive") return undefined;
          faulty.push(name);
          return fault;
        },
      });
      assertArchive(await trial.run());
      const expected = CALLS.filter((name) => connector === "REST" || !name.startsWith("plugin"));
      assert.deepEqual([...faulty].sort(), [...expected].sort());
    });
  }

  it("5: a Retry-After is waited for", async () => {
    const at: number[] = [];
    const trial = stage.trial({
      fault: ({ name, nth }) => {
        if (name === "export") at.push(performance.now());
        return name === "export" && nth === 1 ? { status: 429, headers: { "Retry-After": "1" } } : undefined;
      },
    });
    assertArchive(await trial.run());
    assert.ok((at[1] ?? 0) - (at[0] ?? 0) >= 990);
  });

  it("5: links to the export and for the upload that have expired are replaced by fresh ones", async () => {
    // In order: export link, again, upload link, download link, both again.
    const lifetimes = [0, 3600, 0, 3600];
    await onStage({ connector, urlLifetime: () => lifetimes.shift() ?? 3600 }, async (own) => {
      const trial = own.trial();
      assertArchive(await trial.run());
      const count = (name: RequestName) => trial.requests.filter((other) => other === name).length;
      assert.deepEqual([count("export"), count("getUploadUrl"), count("upload")], [2, 2, 2]);
    });
  });

  it("5: a log that Hub does not take fails no session", async () => {
    if (connector === "WS") return assertArchive(await stage.trial().run());
    assertArchive(await stage.trial({ fault: ({ name }) => (name === "pluginLog" ? { status: 400 } : undefined) }).run());
  });

  it("6: each step that is not answered is tried again after its time", async () => {
    await onStage({ connector, callTimeoutMs: 400, env: { UPLOAD_TIMEOUT: "1s" } }, async (own) => {
      const trial = own.trial({ fault: ({ name, nth }) => (nth === 1 && name !== "export" && name !== "archive" ? "hang" : undefined) });
      assertArchive(await trial.run());
    });
  });

  it("8: nothing of a session stays on disk once Hub has its result", async () => {
    await onStage({ connector }, async (own) => {
      const broken = own.trial({
        fault: ({ name }) => (name === "download" ? { status: 200, body: exportZip(ROWS).subarray(0, 80) } : undefined),
      });
      assertArchive(await own.trial().run());
      assertError(await broken.run(), /damaged/);
      await eventuallyHolds(
        async () => assert.deepEqual(await filesWith(own.dataDir, ["asset-a", "export.ndjson", "IHDR"]), []),
        PATIENCE_MS,
      );
    });
  });

  it("9: whatever is in names arrives whole, and the archive's name needs no quoting", async () => {
    const stages = ["Review & fix #2", "100% é+%41", "a=b;c/d?e"];
    const batches = ["b&1", "b+2 %20"];
    const trial = stage.trial({ project: { name: "plan 01 (a&b) #2 é+%41/../x" } });
    const ended = await trial.run({ stage: stages, batches, session: "sess ion/../1&2#3" });
    assertArchive(ended, []);
    const sent = stage.hub.exports.find((query) => query.some(([name, value]) => name === "project" && value === trial.projectId)) ?? [];
    const query = Object.fromEntries(sent);
    assert.deepEqual(JSON.parse(query.stage ?? ""), stages);
    assert.deepEqual(JSON.parse(query.batches ?? ""), batches);
    const key = stage.hub.uploads.find(({ key }) => key.startsWith(trial.projectId))?.key ?? "";
    assert.match(key, /^[0-9a-f]{24}\/exports\/[A-Za-z0-9._-]+$/);
  });

  it("10: a key never follows a redirect to another place, and follows one within Hub", async () => {
    const elsewhere: LocalHttp = await startLocalHttp((_request, response) => void response.writeHead(404).end());
    try {
      for (const step of ["project", "export", "getUploadUrl", "getSignedUrl"] as const) {
        const away = stage.trial({
          fault: ({ name, request }) =>
            name === step ? { status: 302, headers: { Location: `${elsewhere.origin}${request.url}` } } : undefined,
        });
        assertError(await away.run(), /redirect to another origin/);
        const within = stage.trial({
          fault: ({ name, nth, request }) =>
            name === step && nth === 1 ? { status: 307, headers: { Location: String(request.url) } } : undefined,
        });
        assertArchive(await within.run());
      }
      assert.equal(elsewhere.seen.length, 0);
      const download = stage.trial({
        fault: ({ name, request }) =>
          name === "download" ? { status: 302, headers: { Location: `${elsewhere.origin}${request.url}` } } : undefined,
      });
      assertError(await download.run(), /Downloading the export failed/);
      assert.equal(elsewhere.seen[0]?.headers.apikey, undefined);
      assert.doesNotMatch(String(elsewhere.seen[0]?.rawHeaders), /key-canary|apikey/);
    } finally {
      await elsewhere.close();
    }
  });

  it("11: no more sessions than allowed are under way, and those that wait are told so", async () => {
    await onStage({ connector, env: { MAX_SESSIONS: "2" } }, async (own) => {
      const gate = createGate();
      let underWay = 0;
      const heldExport = (name: RequestName) => {
        if (name !== "export") return undefined;
        underWay += 1;
        return gate.opened;
      };
      const held = () => own.trial({ fault: ({ name }) => heldExport(name) });
      const handles = await Promise.all([1, 2, 3, 4, 5].map(() => held().press()));
      const waiting = () =>
        handles.filter((handle) => linesOf(handle).some((line) => /^INFO Waiting: 2 sessions are running already/.test(line)));
      await eventuallyHolds(() => assert.deepEqual([underWay, waiting().length], [2, 3]), PATIENCE_MS);
      await sleep(50);
      assert.equal(underWay, 2);
      gate.open();
      for (const handle of handles) assert.equal((await inTime(handle)).export, true);
    });
  });

  it("11: one export of a project at a time, and the one that waits is told so", async () => {
    const gate = createGate();
    let underWay = 0;
    const heldExport = (name: RequestName) => {
      if (name !== "export") return undefined;
      underWay += 1;
      return gate.opened;
    };
    const trial = stage.trial({ fault: ({ name }) => heldExport(name) });
    const handles = await Promise.all([trial.press(), trial.press()]);
    const told = () => handles.filter((handle) => linesOf(handle).some((line) => line.includes("another session exports this project")));
    await eventuallyHolds(() => assert.equal(told().length, 1), PATIENCE_MS);
    assert.equal(underWay, 1);
    gate.open();
    for (const handle of handles) assert.equal((await inTime(handle)).export, true);
    assert.notEqual((await handles[0]?.result)?.response?.split("?")[0], (await handles[1]?.result)?.response?.split("?")[0]);
  });

  it("12: a session that is delivered again, at once or after its end, is exported once and answered with the same result", async () => {
    await onStage(
      { connector },
      async (own) => {
        const trial = own.trial();
        const [handle] = await Promise.all([1, 2, 3].map(() => trial.press({ session: "the-same" })));
        assert.ok(handle);
        await inTime(handle);
        await eventuallyHolds(() => assert.ok(own.lines.some((line) => line.includes("Hub has the session's answer"))), PATIENCE_MS);
        assertOneResult(handle.results);
        await trial.press({ session: "the-same" });
        await eventuallyHolds(() => assert.equal(handle.results.length, 2), PATIENCE_MS);
        assert.deepEqual([own.hub.exports.length, own.hub.uploads.length], [1, 1]);
      },
      { repeats: true },
    );
  });

  it("13: the plugin's secret stays out of every log, and a wrong one is hinted at where it can be", async () => {
    await onStage({ connector, env: { PLUGIN_SECRET: "a wrong secret-canary" } }, async (own) => {
      if (connector === "REST") {
        await assert.rejects(own.trial().press(), /answers 401 to a heartbeat/);
      } else {
        await eventuallyHolds(() => assert.equal(own.hub.heartbeats.length, 1), PATIENCE_MS);
        assert.equal(own.hub.heartbeats[0]?.valid, false);
        assert.ok(own.lines.some((line) => line.includes("PLUGIN_ID or PLUGIN_SECRET is wrong")));
      }
      assert.ok(own.lines.every((line) => !line.includes("secret-canary")));
    });
  });

  it("13: hosts without TLS are warned of, other than those of this machine", async () => {
    await onStage({ connector, env: { HOST: "http://127.0.0.2:9", API_HOST: "http://127.0.0.3:9" } }, async (own) => {
      assert.ok(own.lines.some((line) => line.includes("API_HOST is http, not https")));
      assert.equal(
        own.lines.some((line) => line.includes('"HOST is http, not https')),
        connector === "WS",
      );
    });
    assert.ok(stage.lines.every((line) => !line.includes("not https")));
  });

  if (connector === "WS") it("14: there is no port for Hub at all", nobodyListens);
  else
    it("14: who does not know the secret learns nothing and sends nothing, and what is no session is refused", () =>
      refusesStrangers(stage));

  it("15: an export that is a bomb, or lies about itself, is refused; the name of its entry does not matter", async () => {
    const text = Buffer.concat([Buffer.alloc(3_000_000, " "), Buffer.from(ROWS.map((entry) => `${JSON.stringify(entry)}\n`).join(""))]);
    const bodies: Readonly<Record<string, readonly [body: Buffer, check: (ended: Ended) => void]>> = {
      ratio: [zipOf([{ name: "e.ndjson", text }]), (ended) => assertError(ended, /times|compress/i)],
      lie: [zipOf([{ name: "e.ndjson", text, claimedBytes: 1000 }]), (ended) => assertError(ended, /damaged|times|larger/i)],
      large: [Buffer.concat([exportZip(ROWS), Buffer.alloc(9_000_000, 7)]), (ended) => assertError(ended, /larger than/)],
      traversal: [exportZip(ROWS, "../../../../tmp/evil.ndjson"), (ended) => assertArchive(ended)],
      absolute: [exportZip(ROWS, "/etc/passwd"), (ended) => assertArchive(ended)],
      nameless: [exportZip(ROWS, ""), (ended) => assertArchive(ended)],
    };
    await onStage({ connector, env: { EXPORT_RATIO_LIMIT: "50", EXPORT_LIMIT: "8M" } }, async (own) => {
      await Promise.all(
        Object.values(bodies).map(async ([body, check]) => {
          check(await own.trial({ fault: ({ name }) => (name === "download" ? { status: 200, body } : undefined) }).run());
        }),
      );
    });
  });

  it("15: a row without end is one asset that is rejected", async () => {
    await onStage({ connector, env: { ROW_LIMIT: "64K" } }, async (own) => {
      const huge = { ...row({ id: "huge" }), padding: Array.from({ length: 20_000 }, (_, index) => index) };
      const ended = await own.trial({ rows: [...ROWS, huge] }).run();
      assertArchive(ended);
      assert.match(String(ended.archive?.get("manifest.ndjson")), /"index":3.*rejected.*more than the 65536/);
    });
  });
}

function loseSockets({ hub }: Stage): void {
  hub.refuseSockets(60_000);
  hub.cutSockets("tcp");
}

async function refusesStrangers({ pluginServer }: Stage): Promise<void> {
  const server = pluginServer ?? "";
  const ask = async (method: string, path: string, headers: Record<string, string> = {}, body?: string) => {
    const answer = await fetch(new URL(path, server), { method, headers, ...(body === undefined ? {} : { body }) });
    assert.match(answer.headers.get("content-type") ?? "", /json/);
    const text = await answer.text();
    assertNoSecrets([text]);
    assert.equal(typeof JSON.parse(text).detail, "string");
    return answer.status;
  };
  const json = { "Content-Type": "application/json" };
  const known = { ...json, Secret: PLUGIN.pluginSecret };
  for (const path of ["/docs", "/openapi.json", "/", "/plugin/"]) assert.equal(await ask("GET", path), 404);
  assert.equal(await ask("GET", "/heartbeat"), 401);
  assert.equal(await ask("POST", "/plugin", json, "{}"), 401);
  assert.equal(await ask("POST", "/plugin", { ...json, Secret: `${PLUGIN.pluginSecret}x` }, "not json"), 401);
  assert.equal(await ask("GET", "/plugin", known), 405);
  assert.equal(await ask("POST", "/plugin", known, "x".repeat(2 ** 21)), 413);
  assert.equal(await ask("POST", "/plugin", known, "not json"), 422);
  assert.equal(await ask("POST", "/plugin", known, "[]"), 422);
  assert.equal(await ask("POST", "/plugin", { Secret: PLUGIN.pluginSecret }, "{}"), 422);
}

async function nobodyListens(): Promise<void> {
  const free = await startLocalHttp(() => undefined);
  const { port } = new URL(free.origin);
  await free.close();
  await onStage({ connector: "WS", env: { PORT: port } }, async () => {
    const refused = await new Promise<string>((resolve) => {
      const socket = connect(Number(port), "127.0.0.1");
      socket.once("connect", () => resolve("connected"));
      socket.once("error", (error) => resolve("code" in error ? String(error.code) : error.message));
    });
    assert.equal(refused, "ECONNREFUSED");
  });
}

/** Files under a folder whose bytes hold any of the words. */
async function filesWith(folder: string, words: readonly string[]): Promise<string[]> {
  const files = await filesUnder(folder);
  return files.filter(({ bytes }) => words.some((word) => bytes.includes(word))).map(({ path }) => path);
}

describe("hazard", { concurrency: true, timeout: 120_000 }, () => {
  for (const connector of CONNECTORS) describe(`${connector}:`, { concurrency: true }, () => hazardsOver(connector));
});
