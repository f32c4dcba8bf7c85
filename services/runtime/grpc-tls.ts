/** Mutual TLS for gRPC: who calls and who is called show each other a certificate of the same authority. */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { ConfigError } from "./config.js";

/** PEM texts. */
export interface GrpcTls {
  /** The authorities that the other end's certificate may be of. */
  readonly ca: Buffer;
  /** Our own certificate, with those between it and the authority behind it. */
  readonly cert: Buffer;
  readonly key: Buffer;
}

interface TlsFiles {
  readonly grpcTlsCa: string;
  readonly grpcTlsCert: string;
  readonly grpcTlsKey: string;
}

/**
 * Reads the files that GRPC_TLS_CA, GRPC_TLS_CERT and GRPC_TLS_KEY name; undefined when none is set: then gRPC is not encrypted.
 * @throws ConfigError with everything that is wrong: one is missing, can not be read or understood, key and certificate differ, or the
 * certificate's time is over.
 */
export function readGrpcTls({ grpcTlsCa, grpcTlsCert, grpcTlsKey }: TlsFiles, now = new Date()): GrpcTls | undefined {
  const files = [
    ["GRPC_TLS_CA", grpcTlsCa],
    ["GRPC_TLS_CERT", grpcTlsCert],
    ["GRPC_TLS_KEY", grpcTlsKey],
  ] as const;
  const missing = files.filter(([, file]) => file === "").map(([name]) => name);
  if (missing.length === files.length) return undefined;
  if (missing.length > 0) {
    throw new ConfigError([
      `${missing.join(" and ")} must be set too: GRPC_TLS_CA, GRPC_TLS_CERT and GRPC_TLS_KEY go together, or none of them`,
    ]);
  }
  const problems: string[] = [];
  const ca = parsed("GRPC_TLS_CA", grpcTlsCa, "a PEM certificate", (pem) => new X509Certificate(pem), problems);
  const cert = parsed("GRPC_TLS_CERT", grpcTlsCert, "a PEM certificate", (pem) => new X509Certificate(pem), problems);
  const key = parsed("GRPC_TLS_KEY", grpcTlsKey, "a PEM private key without a passphrase", createPrivateKey, problems);
  if (cert && key) problems.push(...mismatches(cert.value, key.value, now));
  if (!ca || !cert || !key || problems.length > 0) throw new ConfigError(problems);
  return { ca: ca.pem, cert: cert.pem, key: key.pem };
}

function parsed<T>(
  name: string,
  file: string,
  what: string,
  parse: (pem: Buffer) => T,
  problems: string[],
): { readonly pem: Buffer; readonly value: T } | undefined {
  let pem: Buffer;
  try {
    pem = readFileSync(file);
  } catch (error) {
    problems.push(
      `${name} names ${JSON.stringify(file)}, which can not be read (${error instanceof Error ? error.message : String(error)})`,
    );
    return undefined;
  }
  try {
    return { pem, value: parse(pem) };
  } catch {
    // What the parser says may hold a part of the file.
    problems.push(`${name} names ${JSON.stringify(file)}, which is not ${what}`);
    return undefined;
  }
}

function mismatches(cert: X509Certificate, key: KeyObject, now: Date): string[] {
  const problems: string[] = [];
  if (!cert.checkPrivateKey(key)) problems.push("GRPC_TLS_KEY is not the key of the certificate in GRPC_TLS_CERT");
  if (new Date(cert.validTo) < now) problems.push(`the certificate in GRPC_TLS_CERT was valid until ${cert.validTo}`);
  return problems;
}
