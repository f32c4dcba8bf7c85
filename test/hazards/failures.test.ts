/** Each row of docs/hub-protocol.md section 8: what the reference client hangs or falls silent at, on both connectors. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { polygon, row, square } from "../pipeline/rows.js";
import { eventuallyHolds } from "../support/eventually-holds.js";
import { assertArchive, assertCleanStage, assertError, assertIdenticalResults } from "./endings.js";
import { POISON, poisonedBus } from "./poisoned-bus.js";
import { CONNECTORS, type ConnectorName } from "./services.js";
import { inTime, openStage, PATIENCE_MS, ROWS, type Stage, type TrialOptions } from "./stage.js";
import { exportZip, zipOf } from "./zips.js";

const ROAD = [polygon("Road", "road", square(1, 1, 4))];
const HTML = { status: 200, body: "<html>It works!</html>", headers: { "Content-Type": "text/html" } };

/** Answers of Hub that no try makes better, and what the user is told. */
const EXPORT_REFUSED: Readonly<Record<string, { readonly options: TrialOptions; readonly words: readonly RegExp[] }>> = {
  "that is refused with 400": {
    options: { fault: ({ name }) => (name === "export" ? { status: 400, body: { status: "fail", message: "no such stage" } } : undefined) },
    words: [/Exporting the project failed/, /HTTP 400/, /"no such stage"/, /stages/],
  },
  "that is refused with 403": {
    options: { fault: ({ name }) => (name === "export" ? { status: 403 } : undefined) },
    words: [/Exporting the project failed/, /HTTP 403/, /right to export/],
  },
  "that is a web page": {
    options: { fault: ({ name }) => (name === "export" ? HTML : undefined) },
    words: [/Exporting the project failed/, /API_HOST/],
  },
};

const BROKEN_DOWNLOADS: Readonly<Record<string, { readonly body: Buffer | string; readonly words: RegExp }>> = {
  truncated: { body: exportZip(ROWS).subarray(0, 90), words: /archive is damaged or incomplete/ },
  "damaged in the middle": { body: flipped(exportZip(ROWS), 60), words: /archive is damaged or incomplete/ },
  empty: { body: "", words: /export is empty/ },
  "an archive of nothing": { body: zipOf([]), words: /archive/ },
  "neither zip nor text": { body: Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 1, 2, 3]), words: /export/i },
};

function flipped(bytes: Buffer, at: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[at] = (changed[at] ?? 0) ^ 0xff;
  return changed;
}

describe("a session always ends,", { concurrency: true, timeout: 120_000 }, () => {
  for (const connector of CONNECTORS) describe(`${connector}:`, { concurrency: true }, () => failuresOver(connector));
});

function failuresOver(connector: ConnectorName): void {
  let stage: Stage;
  /** Where what is away is given up after seconds. */
  let impatient: Stage;
  /** Where assets are poisoned; each holds a place of the rasterizer while it is tried. */
  let poisoned: Stage;
  before(async () => {
    stage = await openStage({ connector, exportTimeoutMs: 2_000 });
    poisoned = await openStage({ connector, env: { STALL_TIMEOUT: "2s", CONCURRENCY: "4" }, wrapBus: poisonedBus });
    impatient = await openStage({ connector, env: { GIVE_UP_TIMEOUT: "3s", UPLOAD_ATTEMPTS: "2" } });
  });
  after(async () => {
    const stages = [stage, impatient, poisoned];
    await Promise.all(stages.map((opened) => opened.close()));
    for (const opened of stages) assertCleanStage(opened);
  });

  for (const [how, { options, words }] of Object.entries(EXPORT_REFUSED)) {
    it(`with an export ${how}: Hub's words and advice, at once`, async () => {
      const trial = stage.trial(options);
      assertError(await trial.run(), ...words);
      assert.equal(trial.requests.filter((name) => name === "export").length, 1);
    });
  }

  it("with a project that Hub does not know", async () => {
    const ended = await stage.trial().run({ payload: { projectId: "64aa0000000000000000dead" } });
    assertError(ended, /Reading the project failed/, /Invalid project/, /user who pressed Run can see it/);
  });

  it("with a key that Hub refuses: told on its console, or as soon as Hub takes the key again", async () => {
    let refused = true;
    const trial = stage.trial({
      fault: ({ request }) =>
        refused && request.headers.apikey !== undefined
          ? { status: 401, body: { status: "fail", message: `Invalid API KEY ${request.headers.apikey}` } }
          : undefined,
    });
    const handle = await trial.press();
    // Over HTTP nothing reaches Hub with such a key, not even the answer.
    if (connector === "REST") await eventuallyHolds(() => assert.ok(trial.requests.includes("pluginResponse")), PATIENCE_MS);
    else await inTime(handle);
    refused = false;
    await inTime(handle);
    const lines = handle.logs.map(({ level, msg }) => `${level} ${msg}`);
    assertError({ handle, lines, tookMs: 0, archive: undefined }, /HTTP 401/, /API key of the user who pressed Run was refused/);
  });

  it("with an export that fails for a while: tried again, and the user told", async () => {
    const trial = stage.trial({ fault: ({ name, nth }) => (name === "export" && nth <= 4 ? { status: 503 } : undefined) });
    const ended = await trial.run();
    assertArchive(ended);
    assert.ok(
      ended.lines.some((line) => /^WARNING .*HTTP 503.*Trying again/.test(line)),
      ended.lines.join("\n"),
    );
  });

  it("with an export that fails for ever", async () => {
    const ended = await impatient.trial({ fault: ({ name }) => (name === "export" ? { status: 500 } : undefined) }).run();
    assertError(ended, /Exporting the project failed/, /HTTP 500/, /Run again later/);
  });

  it("with an export that is never answered, after the time for it", async () => {
    const trial = stage.trial({ fault: ({ name }) => (name === "export" ? "hang" : undefined) });
    const ended = await trial.run();
    assertError(ended, /Exporting the project failed/, /no answer within 2 s/);
    assert.equal(trial.requests.filter((name) => name === "export").length, 1, "what took so long is not begun anew");
  });

  for (const [what, { body, words }] of Object.entries(BROKEN_DOWNLOADS)) {
    it(`with a downloaded export that is ${what}`, async () => {
      const trial = stage.trial({ fault: ({ name }) => (name === "download" ? { status: 200, body } : undefined) });
      assertError(await trial.run(), words);
    });
  }

  it("with a download that is cut short: once it is fetched again, for ever it is an error", async () => {
    const once = stage.trial({ fault: ({ name, nth }) => (name === "download" && nth === 1 ? "cut" : undefined) });
    const always = impatient.trial({ fault: ({ name }) => (name === "download" ? "cut" : undefined) });
    const [good, bad] = await Promise.all([once.run(), always.run()]);
    assertArchive(good);
    assertError(bad, /Downloading the export failed/, /Run again later/);
  });

  it("with a row that is no JSON: that asset is left out and named, the others are there", async () => {
    const ended = await stage.trial({ rows: [...ROWS, '{"externalId": "broken.png", "task": {', "[]"] }).run();
    assertArchive(ended);
    assert.ok(
      ended.lines.some((line) => /^WARNING Done.*Rejected: 2/.test(line)),
      ended.lines.join("\n"),
    );
    assert.match(String(ended.archive?.get("manifest.ndjson")), /"index":3.*rejected/);
  });

  it("with lines of blanks between the rows: they are no assets", async () => {
    const ended = await stage.trial({ rows: ["   ", ROWS[0], "\t", ROWS[1], "", ROWS[2], " "] }).run();
    assertArchive(ended);
    assert.ok(ended.lines.some((line) => line.includes("3 masks for 3 of 3 assets")));
  });

  it("with an asset that a step refuses: it is left out with the reason", async () => {
    const ended = await poisoned.trial({ rows: [...ROWS, row({ id: POISON.refused, tools: ROAD })] }).run();
    assertArchive(ended);
    assert.match(String(ended.archive?.get("manifest.ndjson")), /"index":3.*colour mode 0 is unknown/);
  });

  for (const [what, { once, always }] of Object.entries({
    "that a step throws at": { once: POISON.throwsOnce, always: POISON.throwsAlways },
    "for which a step returns nothing": { once: POISON.nothingOnce, always: POISON.nothingAlways },
  })) {
    it(`with an asset ${what}: once it is published again, for ever it is an error that says so`, async () => {
      const healed = poisoned.trial({ rows: [...ROWS, row({ id: once, tools: ROAD })] });
      const lost = poisoned.trial({ rows: [...ROWS, row({ id: always, tools: ROAD })] });
      const [good, bad] = await Promise.all([healed.run(), lost.run()]);
      assertArchive(good, ["a", "b", "c", once]);
      assertError(bad, /[1-4] of 4 assets were published 4 times, and nothing came back/, /filters and rasterizers/);
    });
  }

  for (const config of ["[]", "not json", '"text"', '{"verbose_frequency": 0, "class_mapping_type": "x"}']) {
    it(`with the Config JSON ${config}`, async () => {
      const trial = stage.trial();
      assertError(await trial.run({ configJSON: config }), /The export can not run/, /allowed/i);
      assert.ok(!trial.requests.includes("export"), "nothing is asked of Hub");
    });
  }

  for (const config of ["", null]) {
    it(`with the Config JSON ${JSON.stringify(config)}, which is all defaults`, async () => {
      assertArchive(await stage.trial().run({ configJSON: config }));
    });
  }

  for (const step of ["getUploadUrl", "getSignedUrl"] as const) {
    it(`with ${step} in trouble: for a while the user is told and the archive comes, for ever it is an error that names it`, async () => {
      const passing = stage.trial({
        fault: ({ name, nth }) => (name === step && nth <= 4 ? { status: 502, body: "<html>" } : undefined),
      });
      const lasting = impatient.trial({ fault: ({ name }) => (name === step ? { status: 503 } : undefined) });
      const [good, bad] = await Promise.all([passing.run(), lasting.run()]);
      assertArchive(good);
      assert.ok(
        good.lines.some((line) => /^WARNING Asking Hub .*HTTP 502.*Trying again/.test(line)),
        good.lines.join("\n"),
      );
      assertError(bad, /archive was not finished within 3 seconds/, /Asking Hub .*HTTP 503/);
    });

    it(`with ${step} answered by a web page`, async () => {
      const ended = await stage.trial({ fault: ({ name }) => (name === step ? HTML : undefined) }).run();
      assertError(ended, /archive could not be made/, /no usable/, /API_HOST/);
    });
  }

  for (const [how, fault] of Object.entries({
    "refused with 403": { status: 403 },
    "answered 503": { status: 503 },
    reset: "reset",
  } as const)) {
    it(`with an upload that is ${how}: once a fresh link is used, for ever it is an error without the link`, async () => {
      const once = stage.trial({ fault: ({ name, nth }) => (name === "upload" && nth === 1 ? fault : undefined) });
      const always = impatient.trial({ fault: ({ name }) => (name === "upload" ? fault : undefined) });
      const [good, bad] = await Promise.all([once.run(), always.run()]);
      assertArchive(good);
      assert.equal(once.requests.filter((name) => name === "getUploadUrl").length, 2);
      assertError(
        bad,
        /archive could not be uploaded/,
        typeof fault === "string" ? /connection failed/ : new RegExp(`HTTP ${fault.status}`),
      );
    });
  }

  it("with a result that does not get through: it is sent until it does, the same bytes", async () => {
    if (connector === "WS") return await resultCutOff(stage);
    const faults = [{ status: 500 }, "reset", { status: 429, headers: { "Retry-After": "0" } }, { status: 502, body: "<html>" }] as const;
    const trial = stage.trial({ fault: ({ name, nth }) => (name === "pluginResponse" ? faults[nth - 1] : undefined) });
    assertArchive(await trial.run());
    assert.equal(trial.requests.filter((name) => name === "pluginResponse").length, 5);
  });
}

/** Over the WebSocket: the connection goes as soon as Hub has read the result, before anything can prove that it has. */
async function resultCutOff({ connector }: Stage): Promise<void> {
  let cuts = 0;
  const alone: Stage = await openStage({
    connector,
    onEvent: (event) => {
      if (!("response" in event) || cuts === 2) return;
      cuts += 1;
      alone.hub.cutSockets("tcp");
    },
  });
  try {
    const ended = await alone.trial().run();
    await eventuallyHolds(() => assert.equal(ended.handle.results.length, 3), PATIENCE_MS);
    assertIdenticalResults(ended.handle.results);
    assert.ok(ended.archive);
    assertCleanStage(alone, { repeats: true });
  } finally {
    await alone.close();
  }
}
