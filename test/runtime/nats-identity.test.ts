/** The NATS adapter at the door: addresses, TLS, and who it says it is. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { nkeys } from "@nats-io/transport-node";
import { ConfigError } from "../../services/runtime/config.js";
import { Fatal } from "../../services/runtime/errors.js";
import { findNats } from "../brokers/nats.js";
import { ackAtOnce, consume, message } from "../conformance/bus-probe.js";
import { eventually } from "../conformance/eventually.js";
import { freePort } from "../support/free-port.js";
import { operatorMode } from "../support/nats-jwt.js";
import { selfSigned } from "../support/self-signed.js";
import { type NatsStage, onNats } from "./nats-clients.js";

const nats = findNats();
const program = "program" in nats ? nats.program : "";
const TIMEOUT_MS = 60_000;

describe("the NATS adapter's connection", { skip: "skip" in nats ? nats.skip : false, concurrency: 3 }, () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "maskline-nats-tls-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const test = (title: string, config: string, run: (stage: NatsStage) => Promise<void>) =>
    it(title, { timeout: TIMEOUT_MS }, () => onNats(program, run, config));

  async function works({ client }: NatsStage, env: Readonly<Record<string, string>>): Promise<void> {
    const bus = await client(env);
    const probe = await consume(bus, "filter", ackAtOnce);
    await bus.publish(message("filter", 0));
    await probe.received(1);
  }

  const user = nkeys.createUser();
  const seed = new TextDecoder().decode(user.getSeed());
  const operator = operatorMode();
  const enough = `publish: ["maskline.>", "$JS.API.>", "$JS.ACK.>"], subscribe: ["_INBOX.>"]`;
  for (const [what, config, env] of [
    ["a token", 'authorization { token: "right" }', { NATS_TOKEN: "right" }],
    ["a user and a password", 'authorization { user: maskline, password: "right" }', { NATS_USER: "maskline", NATS_PASSWORD: "right" }],
    ["an nkey", `authorization { users: [ { nkey: ${user.getPublicKey()} } ] }`, { NATS_NKEY: seed }],
    ["credentials", operator.config, { NATS_CREDS: operator.creds }],
    [
      "the permissions of docs/nats.md and no more",
      `authorization { users: [ { user: a, password: right, permissions: { ${enough} } } ] }`,
      { NATS_USER: "a", NATS_PASSWORD: "right" },
    ],
  ] as const) {
    test(`is made with ${what}`, config, (stage) => works(stage, env));
  }

  for (const [key, env] of [
    ["NATS_TOKEN", { NATS_TOKEN: "canary" }],
    ["NATS_USER with NATS_PASSWORD", { NATS_USER: "maskline", NATS_PASSWORD: "canary" }],
    ["NATS_CREDS or NATS_NKEY \\(none is set\\)", {}],
  ] as const) {
    test(`that is refused names ${key}, and is given up after a while`, 'authorization { token: "right" }', async ({ client, lines }) => {
      const reasons: string[] = [];
      const options = { refusalPatienceMs: 200, onWaiting: (reason: string) => reasons.push(reason) };
      await assert.rejects(client(env, options), (error: Error) => {
        assert.ok(error instanceof ConfigError);
        assert.match(error.message, new RegExp(`NATS refuses this process; correct .*${key}`));
        return true;
      });
      assert.match(reasons[0] ?? "", /NATS refuses this process/);
      assert.doesNotMatch([...reasons, ...lines].join(), /canary/);
    });
  }

  test("that was good and is refused when it comes back is fatal after a while", 'authorization { token: "right" }', async (stage) => {
    const bus = await stage.client({ NATS_TOKEN: "right" }, { refusalPatienceMs: 500 });
    const probe = await consume(bus, "filter");
    await stage.server.stop();
    await stage.server.start('authorization { token: "another" }');
    await eventually("the failure", () => probe.fatal.length > 0, 30_000);
    assert.match(probe.fatal[0]?.message ?? "", /NATS refuses this process; correct NATS_TOKEN/);
    assert.equal(bus.ready(), false);
    await assert.rejects(bus.publish(message("filter", 0)), Fatal);
  });

  const denied = (subject: string) =>
    `authorization { users: [ { user: a, password: right, permissions: { publish: { deny: ["${subject}"] } } } ] }`;
  const right = { NATS_USER: "a", NATS_PASSWORD: "right" };
  test("that may not consume says so, once", denied("$JS.API.CONSUMER.MSG.NEXT.>"), async ({ client }) => {
    const bus = await client(right);
    const probe = await consume(bus, "filter");
    await eventually("the failure", () => probe.fatal.length > 0);
    assert.ok(probe.fatal[0] instanceof Fatal);
    assert.match(probe.fatal[0].message, /does not let this process consume filter; allow its user/);
    assert.equal(probe.fatal.length, 1);
  });
  test("that may not publish says so", denied("maskline.filter.>"), async ({ client }) => {
    const bus = await client(right);
    await assert.rejects(bus.publish(message("filter", 0)), (error: Error) => {
      assert.ok(error instanceof Fatal);
      assert.match(error.message, /does not let this user publish to maskline\.filter\.run/);
      return true;
    });
  });

  it("is made over TLS against the given authority, and to nobody else", { timeout: TIMEOUT_MS }, async () => {
    const { certificate, key } = selfSigned();
    const files = { cert: join(folder, "cert.pem"), key: join(folder, "key.pem"), other: join(folder, "other.pem") };
    await writeFile(files.cert, certificate);
    await writeFile(files.key, key);
    await writeFile(files.other, selfSigned().certificate);
    const config = `tls { cert_file: ${JSON.stringify(files.cert)}, key_file: ${JSON.stringify(files.key)} }`;
    await onNats(
      program,
      async (stage) => {
        await works(stage, { NATS_URL: `tls://${stage.server.address}`, NATS_TLS_CA_FILE: files.cert });
        for (const [env, expected] of [
          [{ NATS_TLS_CA_FILE: files.other }, /can not be used.*(?:self.signed|certificate)/i],
          [{}, /can not be used.*(?:self.signed|certificate)/i],
          [{ NATS_TLS_CA_FILE: join(folder, "none.pem") }, /NATS_TLS_CA_FILE names .*none\.pem.*can not be read/],
        ] as const) {
          assert.match(await reasonToWait(stage, env), expected);
        }
      },
      config,
    );
  });

  test("that demands TLS is not made without it", "", async (stage) => {
    assert.match(await reasonToWait(stage, { NATS_URL: `tls://${stage.server.address}` }), /does not support 'tls'/);
  });

  test("to a server that is not there yet is waited for, and says where", "", async ({ server, client, lines }) => {
    const address = server.address;
    await server.stop();
    const reasons: string[] = [];
    const connecting = client(
      { NATS_URL: `nats://127.0.0.1:${await freePort()},nats://${address}` },
      { onWaiting: (reason) => reasons.push(reason) },
    );
    await eventually("a reason", () => reasons.length > 0);
    assert.match(
      reasons[0] ?? "",
      new RegExp(`NATS at nats://127.0.0.1:\\d+, nats://${address} \\(NATS_URL\\) can not be used: connection refused`),
    );
    await server.start();
    assert.equal((await connecting).ready(), true);
    assert.equal(lines.filter((line) => line.includes("waiting for NATS")).length, 1);
  });

  it("to a server without JetStream is waited for, and says so", { timeout: TIMEOUT_MS }, () =>
    onNats(
      program,
      async (stage) => {
        assert.match(await reasonToWait(stage, { NATS_USER: "a", NATS_PASSWORD: "a" }), /answers, but not its JetStream/);
      },
      "accounts { A: { users: [ { user: a, password: a } ] }, B: { jetstream: enabled } }",
    ),
  );

  async function reasonToWait({ client }: NatsStage, env: Readonly<Record<string, string>>): Promise<string> {
    const abort = new AbortController();
    const reasons: string[] = [];
    const connecting = client(env, { signal: abort.signal, onWaiting: (reason) => reasons.push(reason) });
    connecting.catch(() => undefined);
    await eventually("a reason", () => reasons.length > 0, 20_000);
    abort.abort(new Error("enough"));
    await assert.rejects(connecting, /enough/);
    return reasons[0] ?? "";
  }
});
