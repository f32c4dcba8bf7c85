/** What a failure of an S3-compatible store means to the loop. Pure; the SDK's errors are known by their shape. */
import { Fatal, Retry } from "../errors.js";

const CHECK_CREDENTIALS =
  "check the credentials (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or the role of the machine or service account)";
const CHECK_RIGHTS = "check that they may read, write, list and delete there (s3:GetObject, PutObject, DeleteObject, ListBucket)";
const CHECK_BUCKET = "check the bucket's name in BLOB_URL, and that it exists: it is not made here";
const CHECK_REGION = "check that AWS_REGION is the bucket's";

/** Failures that will not pass by themselves, and what somebody has to look at. */
const REFUSED: Readonly<Record<string, string>> = {
  AccessDenied: CHECK_RIGHTS,
  AllAccessDisabled: CHECK_RIGHTS,
  AccountProblem: CHECK_RIGHTS,
  Forbidden: CHECK_RIGHTS,
  CredentialsProviderError: CHECK_CREDENTIALS,
  InvalidAccessKeyId: CHECK_CREDENTIALS,
  SignatureDoesNotMatch: CHECK_CREDENTIALS,
  InvalidToken: CHECK_CREDENTIALS,
  ExpiredToken: CHECK_CREDENTIALS,
  NoSuchBucket: CHECK_BUCKET,
  InvalidBucketName: CHECK_BUCKET,
  AuthorizationHeaderMalformed: CHECK_REGION,
  PermanentRedirect: CHECK_REGION,
  IllegalLocationConstraintException: CHECK_REGION,
  RequestTimeTooSkewed: "check this machine's clock",
  MethodNotAllowed: "check that it is an S3 endpoint",
  NotImplemented: "the store lacks a call that is needed (PutObject, GetObject, ListObjectsV2, DeleteObjects)",
};

/** Statuses that stay, under whatever code a compatible store gives them. */
const REFUSED_STATUSES = [401, 403, 404, 405, 501];
const CHECK_ALL = `${CHECK_CREDENTIALS}; ${CHECK_RIGHTS}; ${CHECK_BUCKET}`;

/** @param place `s3://bucket/prefix`, for the message. */
export function s3BlobError(place: string, error: unknown): Error {
  if (error instanceof Fatal || error instanceof Retry) return error;
  const code = codeOf(error);
  const advice = isWithoutRegion(error) ? "set AWS_REGION" : (REFUSED[code] ?? (hasRefusedStatus(error) ? CHECK_ALL : undefined));
  if (advice !== undefined) return new Fatal(`the blob store ${place} can not be used (${code}): ${advice}`, { cause: error });
  return new Retry(`the blob store ${place} failed (${code}); it is tried again`, { cause: error });
}

/** Whether it says that there is no such object; that there is no bucket is another matter. */
export function isNoObject(error: unknown): boolean {
  return ["NoSuchKey", "NotFound"].includes(codeOf(error));
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return "no error";
  const code = "Code" in error && typeof error.Code === "string" ? error.Code : "code" in error ? error.code : undefined;
  return typeof code === "string" && error.name === "Error" ? code : error.name;
}

function hasRefusedStatus(error: unknown): boolean {
  const metadata: unknown = error instanceof Error && "$metadata" in error ? error.$metadata : undefined;
  const status = typeof metadata === "object" && metadata !== null && "httpStatusCode" in metadata ? metadata.httpStatusCode : undefined;
  return typeof status === "number" && REFUSED_STATUSES.includes(status);
}

function isWithoutRegion(error: unknown): boolean {
  return error instanceof Error && /region is missing/i.test(error.message);
}
