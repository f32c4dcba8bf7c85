import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { readArchive } from "../support/archive.js";
import { bmp, dicom, image, orientedJpeg, tiff } from "../support/images.js";
import { startLocalHttp } from "../support/local-http.js";
import { type Finished, type Pipeline, startPipeline } from "./pipeline.js";
import { readMask } from "./read-mask.js";
import { polygon, row, square } from "./rows.js";

const tools = [polygon("Road", "road", square(1, 1, 4))];
const unsized = (id: string, file = `${id}.png`) => ({
  ...row({ id, tools, size: null }),
  asset: `https://hub.invalid/images/${file}?X-Amz-Signature=5ec4e7`,
});
const pageUrl = (file: string) => `https://hub.invalid/images/${file}?X-Amz-Signature=5ec4e7`;
const paged = (id: string, ...files: string[]) => ({
  ...row({ id, tools: [...tools, { ...polygon("Car", "car", square(2, 2, 3)), page: 1 }], size: [16, 12] }),
  dataset: files.map(pageUrl),
});

/** By task: its file, and the size that its mask must have. */
const FORMATS: Readonly<Record<string, readonly [file: string, width: number, height: number]>> = {
  png: ["a.png", 31, 17],
  jpeg: ["a.jpg", 31, 17],
  turned: ["turned.jpg", 17, 31],
  webp: ["a.webp", 31, 17],
  tiff: ["a.tif", 31, 17],
  gif: ["a.gif", 31, 17],
  bmp: ["a.bmp", 31, 17],
  dicom: ["a.dcm", 31, 17],
};

async function images(): Promise<Record<string, Buffer>> {
  const size = { width: 31, height: 17 };
  const huge = await image("png", size);
  huge.writeUInt32BE(100_000, 16);
  huge.writeUInt32BE(100_000, 20);
  return {
    "a.png": await image("png", size),
    "a.jpg": await image("jpeg", size),
    "turned.jpg": await orientedJpeg(size, 6),
    "a.webp": await image("webp", size),
    "a.tif": tiff({ ...size, endian: "little", before: 200_000 }),
    "a.gif": await image("gif", size),
    "a.bmp": bmp(size),
    "a.dcm": dicom(size),
    "second.png": await image("png", { width: 9, height: 11 }),
    "huge.png": huge,
    "page.html": Buffer.from("<html>Sign in</html>"),
  };
}

describe("sizes that the export does not tell", () => {
  let pipeline: Pipeline;
  let finished: Finished;
  const rows = [
    ...Object.entries(FORMATS).map(([id, [file]]) => unsized(id, file)),
    paged("pages", "a.png", "second.png"),
    paged("gone-page", "a.png", "none.png"),
    unsized("huge", "huge.png"),
    unsized("html", "page.html"),
    { ...unsized("file"), asset: "file:///etc/passwd" },
    { ...unsized("metadata"), asset: "http://169.254.169.254/latest/meta-data/iam/?token=5ec4e7" },
    { ...row({ id: "untouched", tools, size: null, standing: "untouched" }), asset: pageUrl("never.png") },
  ];
  before(async () => {
    pipeline = await startPipeline({ rows, images: await images(), env: { FETCH_ALLOW: "127.0.0.1" } });
    finished = await pipeline.run();
  });
  after(() => pipeline.close());

  const entryOf = (taskId: string) => {
    const lines = finished.archive?.get("manifest.ndjson")?.toString().trimEnd().split("\n") ?? [];
    return lines.map((line) => JSON.parse(line)).find((line) => line.taskId === taskId);
  };

  for (const [id, [file, width, height]] of Object.entries(FORMATS)) {
    it(`are those of ${file}${id === "turned" ? ", as it is shown" : ""}`, async () => {
      const mask = await readMask(finished.archive?.get(`${id}.png`));
      assert.deepEqual([mask.width, mask.height], [width, height]);
      assert.equal(mask.pixels[2 * width + 2], "1");
    });
  }

  it("are those of each page of a multi-image asset", async () => {
    const masks = [...(finished.archive ?? [])].filter(([name]) => name.startsWith("pages"));
    const sizes = await Promise.all(masks.map(async ([, png]) => readMask(png)));
    assert.deepEqual(
      sizes.map(({ width, height }) => [width, height]),
      [
        [16, 12],
        [9, 11],
      ],
    );
    assert.deepEqual([sizes[0]?.pixels[2 * 16 + 2], sizes[1]?.pixels[3 * 9 + 3]], ["1", "2"]);
  });

  const rejections: readonly (readonly [id: string, code: string, reason: RegExp])[] = [
    ["gone-page", "no_size", /page 2 of 2, and its image can not be fetched \(GET http.*none\.png: HTTP 404\)$/],
    ["huge", "over_limit", /^it has 100000 x 100000 pixels/],
    ["html", "no_size", /its image is none of PNG.*it starts with "<html>Sign in<\/h"/],
    ["file", "no_size", /only http and https are fetched, not file:/],
    ["metadata", "no_size", /169\.254\.169\.254 is a link-local address/],
  ];
  for (const [id, code, reason] of rejections) {
    it(`reject the asset ${id} with ${code}, and a reason that shows no signature`, () => {
      const entry = entryOf(id);
      assert.equal(entry.code, code);
      assert.match(entry.reason, reason);
    });
  }

  it("are not looked up for an asset that a rule leaves out", () => {
    assert.equal(entryOf("untouched").outcome, "skipped");
    const asked = pipeline.hub.requests.filter((name) => name === "image").length;
    // One a format, a.tif once more for its directory; the second page of each; huge.png and page.html.
    assert.equal(asked, Object.keys(FORMATS).length + 1 + 2 + 2);
  });

  it("leave no URL's query in the archive or before the user", () => {
    const everything = Buffer.concat([...(finished.archive?.values() ?? [])]).toString("latin1") + finished.lines.join("\n");
    assert.ok(!everything.includes("5ec4e7"));
    assert.deepEqual(pipeline.hub.violations, []);
  });
});

describe("maskline convert", () => {
  it("looks sizes up as a Hub session does, and not with --no-fetch", { timeout: 60_000 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), "maskline-sizes-"));
    const png = await image("png", { width: 31, height: 17 });
    const http = await startLocalHttp((_, response) => void response.writeHead(200).end(png));
    try {
      const rows = [row({ id: "told", tools }), { ...unsized("untold"), asset: `${http.origin}/a.png?X-Amz-Signature=5ec4e7` }];
      const file = join(folder, "export.json");
      await writeFile(file, JSON.stringify(rows));
      const executable = fileURLToPath(new URL("../../services/main.js", import.meta.url));
      const convert = async (...more: string[]) => {
        const out = join(folder, "masks.zip");
        const env = { PATH: process.env.PATH, TMPDIR: folder, CONCURRENCY: "1", FETCH_ALLOW: "127.0.0.1" };
        await promisify(execFile)(process.execPath, [executable, "convert", file, "--out", out, ...more], { env, timeout: 50_000 });
        return readArchive(out);
      };
      const without = await convert("--no-fetch");
      assert.ok(!without.has("untold.png"));
      assert.match(String(without.get("manifest.csv")), /untold,,rejected,"the export does not tell its size .*FETCH_CONCURRENCY is 0/);
      assert.equal(http.seen.length, 0);
      const mask = await readMask((await convert()).get("untold.png"));
      assert.deepEqual([mask.width, mask.height], [31, 17]);
    } finally {
      await http.close();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
