import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import { test } from "node:test";
import { ConfigError, type Environment, readConfig } from "./config.js";
import { blobKeys, blobPlace, busKeys, dataKeys, gatewayAddressKeys, grpcTokenKeys, processKeys, workerKeys } from "./keys.js";

const allKeys = { ...processKeys, ...busKeys, ...dataKeys, ...blobKeys, ...workerKeys, ...gatewayAddressKeys, ...grpcTokenKeys };
const required = { GATEWAY_ADDRS: "gateway-0:50051", GRPC_TOKEN: "shared" };

function problemsOf(env: Environment): readonly string[] {
  try {
    readConfig(allKeys, { ...required, ...env });
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems;
  }
}

test("without an environment, one process works out of the box", () => {
  assert.deepEqual(readConfig({ ...processKeys, ...busKeys, ...dataKeys, ...blobKeys, ...workerKeys }, {}), {
    logLevel: "info",
    healthPort: 8081,
    drainMs: 25_000,
    bus: "memory",
    dataDir: "./data",
    blobUrl: "",
    s3Endpoint: "",
    s3Region: "",
    s3PathStyle: "auto",
    concurrency: Math.min(256, availableParallelism()),
  });
});

test("what only separate processes need has to be set by them", () => {
  assert.throws(() => readConfig({ ...gatewayAddressKeys, ...grpcTokenKeys }, {}), /GATEWAY_ADDRS is missing(.|\n)*GRPC_TOKEN is missing/);
});

test("log levels may be written in capitals, as users of the official SDK do", () => {
  assert.equal(readConfig(processKeys, { LOGLEVEL: "DEBUG" }).logLevel, "debug");
  assert.equal(readConfig(processKeys, { LOGLEVEL: "silent" }).logLevel, "silent");
});

test("blobs lie in DATA_DIR, or where BLOB_URL says", () => {
  const placeOf = (env: Environment) => blobPlace(readConfig({ ...blobKeys, ...dataKeys }, { DATA_DIR: "/var/lib/maskline", ...env }));
  assert.deepEqual(placeOf({}), { kind: "folder", folder: "/var/lib/maskline/blobs" });
  assert.deepEqual(placeOf({ BLOB_URL: "file:///mnt/with%20space/blobs/" }), { kind: "folder", folder: "/mnt/with space/blobs" });
  const amazon = { kind: "bucket", bucket: "masks", prefix: "", endpoint: undefined, region: "eu-west-1", pathStyle: false };
  assert.deepEqual(placeOf({ BLOB_URL: "s3://masks", AWS_REGION: "eu-west-1" }), amazon);
  const own = { BLOB_URL: "s3://masks/a/b/", AWS_ENDPOINT_URL_S3: "http://minio:9000" };
  const there = { kind: "bucket", bucket: "masks", prefix: "a/b", endpoint: "http://minio:9000", region: undefined, pathStyle: true };
  assert.deepEqual(placeOf(own), there);
  assert.deepEqual(placeOf({ ...own, BLOB_PATH_STYLE: "no" }), { ...there, pathStyle: false });
});

test("a bucket is named by its name and a plain prefix, and by nothing else", () => {
  for (const BLOB_URL of [
    "s3://",
    "s3:///a",
    "s3://b/../c",
    "s3://b/a?x=1",
    "s3://b:80/a",
    "s3://key:secret@b/a",
    "s3://b/a//c",
    "s3://b/a b",
  ]) {
    assert.match(problemsOf({ BLOB_URL })[0] ?? "", /BLOB_URL.*allowed/, BLOB_URL);
  }
});

test("addresses of gateways are hosts or IPs with a port", () => {
  const { gatewayAddrs } = readConfig(gatewayAddressKeys, { GATEWAY_ADDRS: "gateway-0.gw.ns.svc:50051, 127.0.0.1:1,[::1]:65535" });
  assert.deepEqual(gatewayAddrs, ["gateway-0.gw.ns.svc:50051", "127.0.0.1:1", "[::1]:65535"]);
});

for (const [env, value] of [
  ["LOGLEVEL", "verbose"],
  ["HEALTH_PORT", "65536"],
  ["HEALTH_PORT", "http"],
  ["DRAIN_TIMEOUT", "25"],
  ["DRAIN_TIMEOUT", "2h"],
  ["BUS", "rabbit"],
  ["BLOB_URL", "/mnt/blobs"],
  ["BLOB_URL", "file://host/blobs"],
  ["BLOB_URL", "ftp://host/blobs"],
  ["CONCURRENCY", "0"],
  ["CONCURRENCY", "257"],
  ["CONCURRENCY", "1.5"],
  ["GATEWAY_ADDRS", "gateway-0"],
  ["GATEWAY_ADDRS", "gateway-0:50051,gateway-1:0"],
  ["GATEWAY_ADDRS", "http://gateway-0:50051"],
  ["GATEWAY_ADDRS", " , "],
] as const) {
  test(`${env}=${value} is refused, naming the key and what is allowed`, () => {
    const problems = problemsOf({ [env]: value });
    assert.equal(problems.length, 1);
    assert.match(problems[0] ?? "", new RegExp(`^${env} is .*allowed: `));
  });
}

test("every key is declared once, and its default is allowed", () => {
  const keys = Object.values(allKeys);
  assert.equal(new Set(keys.map(({ env }) => env)).size, keys.length);
  for (const { fallback, parse, meaning } of keys) {
    assert.ok(meaning.endsWith("."), meaning);
    if (fallback !== undefined) parse(fallback);
  }
});
