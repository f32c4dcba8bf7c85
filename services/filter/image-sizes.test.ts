import assert from "node:assert/strict";
import { createServer } from "node:net";
import { after, before, describe, it } from "node:test";
import { image, jpegAfter, tiff } from "../../test/support/images.js";
import { type LocalHttp, type SeenRequest, startLocalHttp } from "../../test/support/local-http.js";
import { parseAddressRange } from "../runtime/address-rules.js";
import { Retry } from "../runtime/errors.js";
import { measureImage } from "./image-header.js";
import { createImageSizes, type ImageSettings, type ImageSizeSource } from "./image-sizes.js";
import type { Measure } from "./read-image-size.js";
import type { ImageSizes } from "./size.js";

const never = new AbortController().signal;
const SIZE = { width: 37, height: 21 };
const SECRET = "s3cr3t-value";
const measure: Measure = async (head) => measureImage(head);
const files = new Map<string, Buffer>();
let http: LocalHttp;
const open = new Set<ImageSizeSource>();
/** What happens to a path instead; how often so far is told. */
const faults = new Map<string, (times: number) => number | "hang" | "whole" | undefined>();

const pathOf = ({ url }: SeenRequest) => url.split("?")[0] ?? "";
const timesOf = (path: string) => http.seen.filter((request) => pathOf(request) === path).length;

before(async () => {
  const jpeg = await image("jpeg", SIZE);
  const profiles = (count: number) => jpegAfter(new Array(count).fill(Buffer.alloc(60_000)), jpeg);
  for (const [name, file] of Object.entries({
    "/a.png": await image("png", SIZE),
    "/b.webp": await image("webp", { width: 5, height: 6 }),
    "/late.jpg": profiles(3),
    "/too-late.jpg": profiles(12),
    "/far.tif": tiff({ ...SIZE, endian: "big", before: 3_000_000 }),
    "/page.html": Buffer.from("<!DOCTYPE html><html><body>Please sign in</body></html>"),
    "/empty": Buffer.alloc(0),
  })) {
    files.set(name, file);
  }
  http = await startLocalHttp((request, response) => {
    const path = pathOf(request);
    const file = files.get(path);
    const fault = faults.get(path)?.(timesOf(path));
    if (fault === "hang") return;
    if (typeof fault === "number" || !file) return void response.writeHead(typeof fault === "number" ? fault : 404).end();
    const type = path.endsWith("html") ? { "content-type": "text/html; charset=utf-8" } : {};
    const [, from = "0", last = ""] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
    if (fault === "whole" || file.length === 0) return void response.writeHead(200, type).end(file);
    const piece = file.subarray(Number(from), Number(last) + 1);
    const range = `bytes ${from}-${Number(from) + piece.length - 1}/${file.length}`;
    response.writeHead(206, { "content-range": range, ...type }).end(piece);
  });
});

after(async () => {
  for (const source of open) await source.close();
  await http.close();
});

function sourceOf(settings: Partial<ImageSettings> = {}): ImageSizeSource {
  const allowed = [parseAddressRange("127.0.0.0/8")];
  const source = createImageSizes({ concurrency: 4, allowed, mostBytes: 500_000, timeoutMs: 10_000, ...settings });
  open.add(source);
  return source;
}

/** The images at these paths, in order. */
const at = (...paths: string[]) =>
  paths.map((path, index) => ({ image: index, url: path.startsWith("/") ? `${http.origin}${path}?sig=${SECRET}` : path }));

async function problemOf(path: string, source = sourceOf()): Promise<string> {
  const found = (await source.find("R1", at(path), measure, never)).get(0);
  assert.ok(found && "problem" in found, JSON.stringify(found));
  assert.ok(!found.problem.includes(SECRET), found.problem);
  return found.problem;
}

const entries = (sizes: ImageSizes) => [...sizes].sort(([a], [b]) => a - b);

describe("the sizes of an asset's images", () => {
  it("are read from the first bytes of each", async () => {
    const found = await sourceOf().find("R1", at("/a.png", "/b.webp"), measure, never);
    assert.deepEqual(entries(found), [
      [0, SIZE],
      [1, { width: 5, height: 6 }],
    ]);
    assert.equal(http.seen.at(-1)?.headers.range, "bytes=0-65535");
  });

  it("are read on where they stand further back, without what lies between", async () => {
    http.seen.length = 0;
    const found = await sourceOf().find("R1", at("/late.jpg", "/far.tif"), measure, never);
    assert.deepEqual(entries(found), [
      [0, SIZE],
      [1, SIZE],
    ]);
    const ranges = (path: string) => http.seen.filter((request) => pathOf(request) === path).map(({ headers }) => headers.range);
    assert.deepEqual(
      ranges("/late.jpg"),
      ["bytes=0-65535", "bytes=65536-524287"].map((range) => range.replace("524287", "499999")),
    );
    assert.deepEqual(ranges("/far.tif"), ["bytes=0-65535", "bytes=3000008-3000037"]);
  });

  it("are not looked for beyond the limit of bytes", async () => {
    assert.equal(
      await problemOf("/too-late.jpg"),
      "does not tell its size in the 500000 bytes that are read of it at most (FETCH_BYTES_LIMIT)",
    );
    const read = http.seen.filter((request) => pathOf(request) === "/too-late.jpg").map(({ headers }) => headers.range);
    assert.deepEqual(read, ["bytes=0-65535", "bytes=65536-499999"]);
    faults.set("/far.tif", () => "whole");
    assert.match(await problemOf("/far.tif"), /it is sent from its beginning, and bytes 3000008 to \d+ were asked for/);
    faults.delete("/far.tif");
  });

  it("of a server that sends whole files are found too", async () => {
    faults.set("/late.jpg", () => "whole");
    assert.deepEqual(entries(await sourceOf().find("R1", at("/late.jpg"), measure, never)), [[0, SIZE]]);
    faults.delete("/late.jpg");
  });

  it("are read once a run, so that a message that comes again finds the same", async () => {
    const source = sourceOf();
    const first = await source.find("R1", at("/a.png", "/a.png"), measure, never);
    const times = timesOf("/a.png");
    assert.deepEqual(await source.find("R1", at("/a.png", "/a.png"), measure, never), first);
    assert.equal(timesOf("/a.png"), times);
    await source.find("R2", at("/a.png"), measure, never);
    assert.equal(timesOf("/a.png"), times + 1);
  });

  it("are read some at once, however many there are", async () => {
    const paths = Array.from({ length: 60 }, (_, page) => `/page-${page}.png`);
    for (const path of paths) files.set(path, files.get("/a.png") ?? assert.fail());
    const source = sourceOf({ concurrency: 3 });
    let atOnce = 0;
    let most = 0;
    const counted: Measure = async (head) => {
      most = Math.max(most, ++atOnce);
      await new Promise((resolve) => setTimeout(resolve, 2));
      atOnce -= 1;
      return measureImage(head);
    };
    assert.equal((await source.find("R1", at(...paths), counted, never)).size, 60);
    assert.equal(most, 3);
  });
});

describe("an image without a size", () => {
  it("is one that is not there, or may not be seen any more", async () => {
    assert.equal(await problemOf("/none.png"), `can not be fetched (GET ${http.origin}/none.png: HTTP 404)`);
    assert.equal(timesOf("/none.png"), 1, "it is not tried again");
    faults.set("/a.png", () => 403);
    assert.match(await problemOf("/a.png"), /HTTP 403; a signed URL may have expired since the export was made\)$/);
    faults.delete("/a.png");
  });

  it("is one that is something else, said with what the server calls it", async () => {
    assert.match(await problemOf("/page.html"), /it starts with "<!DOCTYPE html><"; its Content-Type is text\/html; charset=utf-8$/);
    assert.equal(await problemOf("/empty"), "is empty");
  });

  it("is one at an address that may not be asked", async () => {
    const strict = sourceOf({ allowed: [] });
    assert.match(await problemOf("/a.png", strict), /^can not be fetched \(GET: 127\.0\.0\.1 is a loopback address.*FETCH_ALLOW/);
    assert.match(await problemOf("file:///etc/passwd"), /only http and https are fetched, not file:/);
    assert.match(await problemOf("s3://bucket/a.png"), /only http and https are fetched, not s3:/);
    assert.match(await problemOf("a.png"), /it is not a URL/);
  });

  it("decides the asset: the other pages are not waited for", { timeout: 20_000 }, async () => {
    faults.set("/b.webp", () => "hang");
    const found = await sourceOf().find("R1", at("/b.webp", "/none.png", "/b.webp"), measure, never);
    assert.ok("problem" in (found.get(1) ?? {}));
    assert.equal(found.size, 1);
    faults.delete("/b.webp");
  });
});

describe("a fault that may pass", () => {
  it("is waited for: the same image is tried again", { timeout: 20_000 }, async () => {
    faults.set("/a.png", (times) => (times === 1 ? 503 : undefined));
    http.seen.length = 0;
    assert.deepEqual(entries(await sourceOf().find("R1", at("/a.png"), measure, never)), [[0, SIZE]]);
    assert.equal(timesOf("/a.png"), 2);
    faults.delete("/a.png");
  });

  it("that does not pass rejects the asset in the end, with what it was", { timeout: 30_000 }, async () => {
    faults.set("/a.png", () => 503);
    http.seen.length = 0;
    assert.match(await problemOf("/a.png"), /HTTP 503\)$/);
    assert.equal(timesOf("/a.png"), 4);
    faults.set("/a.png", () => "hang");
    assert.match(await problemOf("/a.png", sourceOf({ timeoutMs: 600 })), /no answer within 0\.2 s\)$/);
    faults.delete("/a.png");
  });

  it("of a server that is away costs the assets after it one try each", { timeout: 30_000 }, async () => {
    const closed = createServer().listen(0, "127.0.0.1");
    const port = await new Promise<number>((resolve) =>
      closed.once("listening", () => resolve((closed.address() as { port: number }).port)),
    );
    await new Promise((resolve) => closed.close(resolve));
    const source = sourceOf();
    const url = `http://127.0.0.1:${port}/a.png`;
    assert.match(await problemOf(url, source), /ECONNREFUSED/);
    const started = performance.now();
    for (let more = 0; more < 50; more += 1) await problemOf(`${url}?${more}`, source);
    assert.ok(performance.now() - started < 5_000, "without the waits between tries");
  });
});

describe("reading images", () => {
  it("is given up with the signal's reason, also while it waits for its turn", { timeout: 20_000 }, async () => {
    faults.set("/b.webp", () => "hang");
    const source = sourceOf({ concurrency: 1 });
    const stop = new AbortController();
    const running = [1, 2, 3].map((run) => source.find(`R${run}`, at("/b.webp"), measure, stop.signal));
    setTimeout(() => stop.abort(new Error("enough")), 50);
    for (const found of running) await assert.rejects(found, /^Error: enough$/);
    faults.delete("/b.webp");
  });

  it("of more images than one go allows is put off, and goes on where it was", { timeout: 20_000 }, async () => {
    const source = sourceOf({ concurrency: 1, oneGoMs: 300 });
    faults.set("/b.webp", (times) => (times === 1 ? "hang" : undefined));
    http.seen.length = 0;
    await assert.rejects(source.find("R1", at("/a.png", "/b.webp"), measure, never), Retry);
    assert.deepEqual([...(await source.find("R1", at("/a.png", "/b.webp"), measure, never)).keys()].sort(), [0, 1]);
    assert.equal(timesOf("/a.png"), 1);
    faults.delete("/b.webp");
  });

  it("fails as reading the header fails, which is a failure of the message", async () => {
    const broken: Measure = () => Promise.reject(new Error("the worker died"));
    await assert.rejects(sourceOf().find("R1", at("/a.png"), broken, never), /the worker died/);
  });
});
