/** A certificate for 127.0.0.1 and localhost that signs itself, made with nothing but Node, for tests of TLS. */
import { generateKeyPairSync, randomBytes, sign } from "node:crypto";

export interface SelfSigned {
  /** PEM; also the authority that it is checked against. */
  readonly certificate: string;
  /** PEM. */
  readonly key: string;
}

const YEAR_MS = 365 * 24 * 3_600_000;
const OID = { commonName: "550403", subjectAltName: "551d11", basicConstraints: "551d13", ecdsaWithSha256: "2a8648ce3d040302" };

export function selfSigned(): SelfSigned {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = der(0x30, oid(OID.ecdsaWithSha256));
  const name = der(0x30, der(0x31, der(0x30, oid(OID.commonName), der(0x0c, Buffer.from("maskline test")))));
  const serial = Buffer.concat([Buffer.of(0x01), randomBytes(8)]);
  const altNames = der(0x30, der(0x82, Buffer.from("localhost")), der(0x87, Buffer.of(127, 0, 0, 1)));
  const isAuthority = der(0x30, der(0x01, Buffer.of(0xff)));
  const extensions = [
    der(0x30, oid(OID.subjectAltName), der(0x04, altNames)),
    der(0x30, oid(OID.basicConstraints), der(0x01, Buffer.of(0xff)), der(0x04, isAuthority)),
  ];
  // RFC 5280 section 4.1: version 3, serial, algorithm, issuer, validity, subject, key, extensions.
  const body = der(
    0x30,
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, serial),
    algorithm,
    name,
    der(0x30, time(Date.now() - YEAR_MS), time(Date.now() + YEAR_MS)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, der(0x30, ...extensions)),
  );
  const signature = sign("sha256", body, privateKey);
  const certificate = der(0x30, body, algorithm, der(0x03, Buffer.of(0), signature));
  return { certificate: pem("CERTIFICATE", certificate), key: privateKey.export({ type: "pkcs8", format: "pem" }).toString() };
}

/** Tag, length, value. */
function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const value = Buffer.concat(contents);
  const length = value.length < 0x80 ? Buffer.of(value.length) : Buffer.of(0x82, value.length >> 8, value.length & 0xff);
  return Buffer.concat([Buffer.of(tag), length, value]);
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, "hex"));
}

/** GeneralizedTime: 20260102030405Z. */
function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/[-:T]/g, "").slice(0, 14);
  return der(0x18, Buffer.from(`${digits}Z`));
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
