import assert from "node:assert/strict";
import { createServer } from "node:net";
import { after, before, describe, it } from "node:test";
import { type LocalHttp, startLocalHttp } from "../../test/support/local-http.js";
import { createAddressRules, parseAddressRange } from "./address-rules.js";
import { createPieceFetcher, type PieceFetcher, type PieceRequest } from "./fetch-piece.js";
import { HttpFailure } from "./http-failure.js";

const never = new AbortController().signal;
const SECRET = "s3cr3t-value";
const FILE = Buffer.from(Array.from({ length: 1000 }, (_, at) => at % 251));

let http: LocalHttp;
/** Lets the loopback be asked, as FETCH_ALLOW would. */
let fetcher: PieceFetcher;
/** Lets nothing be asked but what is public. */
let strict: PieceFetcher;
let endless = 0;

before(async () => {
  fetcher = createPieceFetcher(createAddressRules([parseAddressRange("127.0.0.0/8")]));
  strict = createPieceFetcher(createAddressRules([]));
  http = await startLocalHttp((request, response) => {
    const path = request.url.split("?")[0];
    const [, from = "0", last = ""] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
    if (path === "/file") {
      if (Number(from) >= FILE.length) return void response.writeHead(416, { "content-range": `bytes */${FILE.length}` }).end();
      const piece = FILE.subarray(Number(from), Number(last) + 1);
      const range = `bytes ${from}-${Number(from) + piece.length - 1}/${FILE.length}`;
      return void response.writeHead(206, { "content-range": range, "content-type": "image/png" }).end(piece);
    }
    if (path === "/without-ranges") return void response.writeHead(200, { "content-type": "image/png" }).end(FILE);
    if (path === "/other-range") return void response.writeHead(206, { "content-range": "bytes 7-9/1000" }).end("789");
    if (path === "/unknown-length")
      return void response.writeHead(206, { "content-range": `bytes ${from}-${last}/*` }).end(FILE.subarray(0, 100));
    if (path === "/zipped") return void response.writeHead(200, { "content-encoding": "gzip" }).end("...");
    if (path === "/endless") {
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(16_384, 5))) endless += 16_384;
      };
      response.on("drain", more);
      return more();
    }
    if (path === "/trickle") {
      const timer = setInterval(() => response.write("x"), 5);
      return void response.on("close", () => clearInterval(timer));
    }
    if (path === "/silent") return;
    if (path === "/busy") return void response.writeHead(503, { "retry-after": "7" }).end();
    if (path === "/to") return void response.writeHead(302, { location: decodeURIComponent(request.url.split("?")[1] ?? "") }).end("moved");
    if (path === "/loop") return void response.writeHead(302, { location: "/loop" }).end();
    return void response.writeHead(404).end(`no ${request.url}`);
  });
});

after(async () => {
  await fetcher.close();
  await strict.close();
  await http.close();
});

function request(path: string, options: Partial<PieceRequest> = {}): PieceRequest {
  const url = path.startsWith("/") ? `${http.origin}${path}` : path;
  return { url, from: 0, end: 300, mostBytes: 2000, timeoutMs: 10_000, ...options };
}

async function failureOf(work: Promise<unknown>): Promise<HttpFailure> {
  const error: unknown = await work.then(
    () => assert.fail("it did not fail"),
    (reason) => reason,
  );
  assert.ok(error instanceof HttpFailure, String(error));
  assert.ok(!error.message.includes(SECRET) && !error.message.includes("?"), error.message);
  return error;
}

describe("a piece of a file", () => {
  it("is asked for as a range, uncompressed, with no header that tells of us but our name", async () => {
    const piece = await fetcher.fetch(request("/file", { from: 200, end: 500 }), never);
    assert.deepEqual(Buffer.from(piece.bytes), FILE.subarray(200, 500));
    assert.deepEqual([piece.fileBytes, piece.type], [1000, "image/png"]);
    const {
      range,
      accept,
      "accept-encoding": encoding,
      "user-agent": agent,
      connection,
      host,
      ...others
    } = http.seen.at(-1)?.headers ?? {};
    assert.deepEqual([range, accept, encoding, agent], ["bytes=200-499", "*/*", "identity", "maskline"]);
    assert.deepEqual(others, {});
  });

  it("ends where the file ends, and beyond it is empty", async () => {
    assert.equal((await fetcher.fetch(request("/file", { from: 900, end: 1200 }), never)).bytes.length, 100);
    const beyond = await fetcher.fetch(request("/file", { from: 1000, end: 1200 }), never);
    assert.deepEqual([beyond.bytes.length, beyond.fileBytes], [0, 1000]);
  });

  it("comes from a server without ranges too, up to the bytes that may be taken from it", async () => {
    assert.deepEqual(Buffer.from((await fetcher.fetch(request("/without-ranges", { from: 200 }), never)).bytes), FILE.subarray(200, 300));
    const whole = await fetcher.fetch(request("/without-ranges", { end: 1500 }), never);
    assert.deepEqual([whole.bytes.length, whole.fileBytes], [1000, 1000]);
    const far = await failureOf(fetcher.fetch(request("/without-ranges", { from: 5000, end: 5100 }), never));
    assert.match(far.message, /it is sent from its beginning, and bytes 5000 to 5100 were asked for/);
  });

  it("tells the file's length when the file ends within it, though the server does not say", async () => {
    assert.equal((await fetcher.fetch(request("/unknown-length"), never)).fileBytes, 100);
    assert.equal((await fetcher.fetch(request("/unknown-length", { end: 100 }), never)).fileBytes, undefined);
  });

  it("of a body without end is taken, and the rest is not waited for", { timeout: 20_000 }, async () => {
    const piece = await fetcher.fetch(request("/endless", { end: 50_000, mostBytes: 50_000 }), never);
    assert.equal(piece.bytes.length, 50_000);
    assert.equal(piece.fileBytes, undefined);
    const sent = endless;
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.ok(endless - sent < 2 ** 22, "the connection is closed");
  });

  it("is not another one than was asked for, nor a compressed one", async () => {
    assert.match((await failureOf(fetcher.fetch(request("/other-range"), never))).message, /another part than the one asked for/);
    assert.match((await failureOf(fetcher.fetch(request("/zipped"), never))).message, /it is sent as gzip/);
  });

  it("that does not come in time, or not at all, fails with its kind, and never shows the query", async () => {
    for (const path of ["/silent", "/trickle"]) {
      const { kind } = await failureOf(fetcher.fetch(request(`${path}?${SECRET}`, { timeoutMs: 100 }), never));
      assert.equal(kind, "timeout");
    }
    const busy = await failureOf(fetcher.fetch(request(`/busy?${SECRET}`), never));
    assert.deepEqual([busy.kind, busy.status, busy.retryAfterMs], ["status", 503, 7000]);
    const gone = await failureOf(fetcher.fetch(request(`/none?${SECRET}`), never));
    assert.equal(gone.message, `GET ${http.origin}/none: HTTP 404`);
    const closed = createServer().listen(0, "127.0.0.1");
    const port = await new Promise<number>((resolve) =>
      closed.once("listening", () => resolve((closed.address() as { port: number }).port)),
    );
    await new Promise((resolve) => closed.close(resolve));
    assert.equal((await failureOf(fetcher.fetch(request(`http://127.0.0.1:${port}/x?${SECRET}`), never))).kind, "network");
  });

  it("is given up with the signal's reason", async () => {
    const stop = new AbortController();
    const running = fetcher.fetch(request("/silent"), stop.signal);
    setTimeout(() => stop.abort(new Error("enough")), 20);
    await assert.rejects(running, /^Error: enough$/);
  });
});

describe("an address that may not be asked", () => {
  const port = () => new URL(http.origin).port;

  const loopbacks = [
    "127.0.0.1",
    "localhost",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "127.1",
    "0x7f000001",
    "2130706433",
    "0",
    "0177.0.0.1",
  ];
  for (const host of loopbacks) {
    it(`is not connected to as ${host}`, async () => {
      const before = http.seen.length;
      const { kind, message } = await failureOf(strict.fetch(request(`http://${host}:${port()}/file?${SECRET}`), never));
      assert.equal(kind, "refused", message);
      assert.match(message, /is an? .*address, where nothing is fetched from \(see FETCH_ALLOW\)$/);
      assert.equal(http.seen.length, before);
    });
  }

  for (const url of [
    "http://169.254.169.254/latest/meta-data/",
    "https://[fd00:ec2::254]/",
    "http://10.0.0.1/",
    "https://192.168.0.1/a.png",
  ]) {
    it(`is not connected to as ${url}`, async () => {
      assert.equal((await failureOf(strict.fetch(request(url), never))).kind, "refused");
    });
  }

  it("is what a name leads to: a name that leads to an allowed one is fetched from", async () => {
    assert.equal((await fetcher.fetch(request(`http://localhost:${port()}/file`), never)).bytes.length, 300);
  });

  const elsewhere = ["http://169.254.169.254/latest/", "http://[::1]/", "//10.0.0.1/x", "http://[::ffff:169.254.169.254]/"];
  for (const location of elsewhere) {
    it(`is not followed to as ${location}`, async () => {
      const url = `/to?${encodeURIComponent(location)}`;
      assert.equal((await failureOf(fetcher.fetch(request(url), never))).kind, "refused");
    });
  }

  for (const url of [
    "file:///etc/passwd",
    "ftp://127.0.0.1/a.png",
    "data:image/png;base64,AAAA",
    "gopher://127.0.0.1/",
    "a.png",
    "",
    "http://",
  ]) {
    it(`is no URL of http(s): ${JSON.stringify(url)}`, async () => {
      const from = { ...request("/file"), url };
      assert.equal((await failureOf(fetcher.fetch(from, never))).kind, "refused");
      if (url === "" || url === "a.png") return;
      assert.equal((await failureOf(fetcher.fetch(request(`/to?${encodeURIComponent(url)}`), never))).kind, "refused");
    });
  }

  it("is reached by no redirect without end", async () => {
    const seen = http.seen.length;
    assert.match((await failureOf(fetcher.fetch(request("/loop"), never))).message, /more than 5 redirects/);
    assert.equal(http.seen.length - seen, 6);
    const target = encodeURIComponent("/file");
    assert.equal((await fetcher.fetch(request(`/to?${target}`), never)).bytes.length, 300, "one is fine");
  });
});
