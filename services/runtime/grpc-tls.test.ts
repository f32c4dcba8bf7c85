import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type Authority, type CertificateFiles, createAuthority, withoutOpenssl } from "../../test/support/certificates.js";
import { ConfigError } from "./config.js";
import { Retry } from "./errors.js";
import type { GatewayCalls } from "./gateway-calls.js";
import { connectGateway, serveGateway } from "./grpc.js";
import { type GrpcTls, readGrpcTls } from "./grpc-tls.js";

const TOKEN = "grpc-token-canary";

const read = ({ ca, cert, key }: Partial<CertificateFiles>, now?: Date) =>
  readGrpcTls({ grpcTlsCa: ca ?? "", grpcTlsCert: cert ?? "", grpcTlsKey: key ?? "" }, now);

/** The answer to a call between two ends, or why there is none. */
async function call(server: GrpcTls | undefined, client: GrpcTls | undefined, token = TOKEN): Promise<unknown> {
  const other = () => assert.fail("another call arrived");
  const sync = async () => ({ gateway: "G", runs: [] });
  const calls: GatewayCalls = { getContext: other, sync, getUploadTarget: other, report: other };
  const listener = await serveGateway(calls, { host: "127.0.0.1", port: 0, token: TOKEN, tls: server });
  const connection = connectGateway(`127.0.0.1:${listener.port}`, token, client);
  try {
    return await connection.sync({ packager: "p", ledgerId: "l", runs: [] }).catch((error: unknown) => error);
  } finally {
    connection.close();
    await listener.close();
  }
}

describe("gRPC with certificates", { skip: withoutOpenssl }, () => {
  let folder: string;
  let authority: Authority;
  let ours: CertificateFiles;
  let gateway: GrpcTls | undefined;
  let packager: GrpcTls | undefined;
  let stranger: CertificateFiles;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "maskline-tls-"));
    authority = createAuthority(folder, "ours");
    ours = authority.issue("gateway");
    gateway = read(ours);
    packager = read(authority.issue("packager"));
    stranger = createAuthority(folder, "theirs").issue("stranger");
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it("is answered to whoever has one of the same authority", async () => {
    assert.deepEqual(await call(gateway, packager), { gateway: "G", runs: [] });
  });

  it("still wants the token", async () => {
    const seen = await call(gateway, packager, "another");
    assert.ok(seen instanceof Retry && /GRPC_TOKEN differs/.test(seen.message));
  });

  it("is refused to whoever has none, or one of another authority, whatever token they show", async () => {
    for (const client of [undefined, read({ ...stranger, ca: ours.ca })]) {
      const seen = await call(gateway, client);
      assert.ok(seen instanceof Retry, String(seen));
      assert.match(seen.message, /GRPC_TLS_CA/);
    }
  });

  it("tells no token to a gateway whose certificate is of another authority, or that has none", async () => {
    for (const server of [read({ ...stranger, ca: ours.ca }), undefined]) {
      const seen = await call(server, packager);
      assert.ok(seen instanceof Retry, String(seen));
      assert.match(seen.message, /GRPC_TLS_CA/);
    }
  });

  it("is off when nothing is set, and one setting alone is a mistake that names the others", () => {
    assert.equal(read({}), undefined);
    assert.throws(() => read({ cert: ours.cert }), /GRPC_TLS_CA and GRPC_TLS_KEY must be set too/);
  });

  it("reports at once everything that is wrong with the files, and nothing that is in them", async () => {
    const rubbish = join(folder, "rubbish.pem");
    await writeFile(rubbish, "-----BEGIN CERTIFICATE-----\ncanary\n-----END CERTIFICATE-----\n");
    assert.throws(
      () => read({ ca: rubbish, cert: join(folder, "missing.pem"), key: ours.cert }),
      (error) => {
        assert.ok(error instanceof ConfigError);
        assert.match(error.message, /GRPC_TLS_CA names ".*rubbish\.pem", which is not a PEM certificate/);
        assert.match(error.message, /GRPC_TLS_CERT names ".*missing\.pem", which can not be read/);
        assert.match(error.message, /GRPC_TLS_KEY names .* which is not a PEM private key/);
        assert.doesNotMatch(error.message, /canary/);
        return true;
      },
    );
    assert.throws(() => read({ ...ours, key: stranger.key }), /GRPC_TLS_KEY is not the key of the certificate in GRPC_TLS_CERT/);
    assert.throws(() => read(ours, new Date(Date.now() + 7 * 24 * 3_600_000)), /was valid until/);
  });
});
