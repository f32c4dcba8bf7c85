/**
 * Presigned URLs in the shape of S3's (docs/hub-protocol.md section 5.5): an HMAC over method, path and every other query parameter, so
 * that nothing of the URL can be altered, with a date and a lifetime. Same parameter names as AWS, a simpler canonical form.
 */
import { createHmac, timingSafeEqual } from "node:crypto";

/** Why a presigned request is refused, with the codes of S3's error bodies. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

export type SignedMethod = "GET" | "PUT";

const CREDENTIAL_SCOPE = "us-east-1/s3/aws4_request";

/** `20261120T101112Z`, as S3 writes dates: whole seconds. */
function amzDate(time: number): string {
  return new Date(time)
    .toISOString()
    .replace(/\.\d+Z$/, "Z")
    .replace(/[-:]/g, "");
}

function parseAmzDate(text: string): number {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  return match ? Date.parse(`${match[1]}-${match[2]}-${match[3]}T${match[4]}:${match[5]}:${match[6]}Z`) : Number.NaN;
}

function signatureOf(key: Buffer, method: string, url: URL): Buffer {
  const signed = [...url.searchParams]
    .filter(([name]) => name !== "X-Amz-Signature")
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .sort()
    .join("&");
  return createHmac("sha256", key).update(`${method}\n${url.pathname}\n${signed}`).digest();
}

/** A copy of `url` that allows `method` on its path for `lifetime` seconds from `now` (ms since 1970). */
export function presign(key: Buffer, method: SignedMethod, url: URL, lifetime: number, now: number): string {
  const signed = new URL(url);
  const date = amzDate(now);
  signed.searchParams.set("X-Amz-Algorithm", "AWS4-HMAC-SHA256");
  signed.searchParams.set("X-Amz-Credential", `AKIASIMULATEDHUB/${date.slice(0, 8)}/${CREDENTIAL_SCOPE}`);
  signed.searchParams.set("X-Amz-Date", date);
  signed.searchParams.set("X-Amz-Expires", String(lifetime));
  signed.searchParams.set("X-Amz-SignedHeaders", "host");
  signed.searchParams.set("X-Amz-Signature", signatureOf(key, method, signed).toString("hex"));
  return signed.href;
}

/** Undefined when the URL was signed with this key for this method and is still valid at `now`. */
export function refuseSignature(key: Buffer, method: string, url: URL, now: number): Refusal | undefined {
  const given = Buffer.from(url.searchParams.get("X-Amz-Signature") ?? "", "hex");
  if (given.length === 0) return { status: 403, code: "AccessDenied", message: "Access Denied" };
  const expected = signatureOf(key, method, url);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    return {
      status: 403,
      code: "SignatureDoesNotMatch",
      message: "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
    };
  }
  const end = parseAmzDate(url.searchParams.get("X-Amz-Date") ?? "") + Number(url.searchParams.get("X-Amz-Expires")) * 1000;
  return now < end ? undefined : { status: 403, code: "AccessDenied", message: "Request has expired" };
}
