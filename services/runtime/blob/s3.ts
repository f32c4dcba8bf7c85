/**
 * The S3 adapter of the blob port: a bucket of Amazon's or of a compatible store. The only import of the AWS SDK, loaded when it is used.
 *
 *     <prefix>/<run>/<rest, with ~ for />
 */
import type { ListObjectsV2CommandOutput, S3ClientConfig } from "@aws-sdk/client-s3";
import { Retry } from "../errors.js";
import type { Blobs } from "./blob.js";
import { checkRunName, flatName, isRunName, splitBlobKey } from "./key.js";
import type { BucketPlace } from "./place.js";
import { isNoObject, s3BlobError } from "./s3-error.js";

/** Of one call of the port, its repeats included, also when bytes trickle. */
const CALL_MS = 120_000;
const CONNECT_MS = 5_000;
/** So long may pass without a byte. */
const IDLE_MS = 30_000;
const ATTEMPTS = 3;

/** Region of a store that knows none; what they all take. */
const ANY_REGION = "us-east-1";

/**
 * Opens the store. One that is away now is none of a start's matter: calls say so.
 * @param callMs replaced in tests
 * @throws Fatal when it refuses for good: credentials, rights, bucket, region.
 */
export async function createS3Blobs(place: BucketPlace, callMs = CALL_MS): Promise<Blobs> {
  const sdk = await import("@aws-sdk/client-s3");
  const client = new sdk.S3Client(clientConfig(place));
  const { bucket: Bucket, prefix } = place;
  const url = ["s3:/", Bucket, prefix].filter((part) => part !== "").join("/");
  const root = prefix === "" ? "" : `${prefix}/`;
  const objectOf = (key: string) => {
    const { run, rest } = splitBlobKey(key);
    return { Bucket, Key: `${root}${run}/${flatName(rest)}` };
  };

  async function translated<T>(work: (options: { readonly abortSignal: AbortSignal }) => Promise<T>): Promise<T> {
    const abortSignal = AbortSignal.timeout(callMs);
    try {
      return await work({ abortSignal });
    } catch (error) {
      if (abortSignal.aborted) throw new Retry(`the blob store ${url} did not answer within ${callMs / 1000} s`, { cause: error });
      throw s3BlobError(url, error);
    }
  }

  /** All objects whose key begins so, a page (up to 1,000) at a time; each page has its own deadline. */
  async function* pages(Prefix: string): AsyncGenerator<NonNullable<ListObjectsV2CommandOutput["Contents"]>> {
    for (let token: string | undefined, first = true; first || token !== undefined; first = false) {
      const request = { Bucket, Prefix, ...(token === undefined ? {} : { ContinuationToken: token }) };
      const page = await translated((options) => client.send(new sdk.ListObjectsV2Command(request), options));
      yield page.Contents ?? [];
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    }
  }

  async function deletePage(keys: readonly { readonly Key: string }[]): Promise<void> {
    const request = { Bucket, Delete: { Objects: [...keys], Quiet: true } };
    const { Errors: failures } = await translated((options) => client.send(new sdk.DeleteObjectsCommand(request), options));
    const failure = failures?.find(({ Code }) => Code !== "NoSuchKey");
    if (failure) throw s3BlobError(url, Object.assign(new Error(failure.Message ?? "no reason"), { name: failure.Code ?? "unknown" }));
  }

  await translated((options) => client.send(new sdk.ListObjectsV2Command({ Bucket, Prefix: root, MaxKeys: 1 }), options)).catch(
    (error: unknown) => {
      if (!(error instanceof Retry)) throw error;
    },
  );

  return {
    put: async (key, body) => {
      const object = objectOf(key);
      await translated((options) => client.send(new sdk.PutObjectCommand({ ...object, Body: body }), options));
    },

    get: async (key) => {
      const object = objectOf(key);
      return translated(async (options) => {
        for (let attempt = 1; ; attempt++) {
          const output = await client.send(new sdk.GetObjectCommand(object), options).catch((error: unknown) => {
            if (isNoObject(error)) return undefined;
            throw error;
          });
          try {
            return await output?.Body?.transformToByteArray();
          } catch (error) {
            // The SDK repeats requests, but not bodies that break off or have another checksum than their head says.
            if (attempt === ATTEMPTS || options.abortSignal.aborted) throw error;
          }
        }
      });
    },

    deleteRun: async (run) => {
      checkRunName(run);
      for await (const objects of pages(`${root}${run}/`)) {
        const keys = objects.flatMap(({ Key }) => (Key === undefined ? [] : [{ Key }]));
        if (keys.length > 0) await deletePage(keys);
      }
    },

    listRuns: async () => {
      const youngest = new Map<string, number>();
      for await (const objects of pages(root)) {
        for (const { Key = "", LastModified } of objects) {
          const run = Key.slice(root.length).split("/", 1)[0] ?? "";
          // What lies directly under the prefix, or has another kind of name, is not ours.
          if (!isRunName(run) || Key.length === root.length + run.length) continue;
          youngest.set(run, Math.max(youngest.get(run) ?? 0, LastModified?.getTime() ?? 0));
        }
      }
      return [...youngest].map(([run, youngestMs]) => ({ run, youngestMs }));
    },
  };
}

function clientConfig({ endpoint, region, pathStyle }: BucketPlace): S3ClientConfig {
  const chosen = region ?? (endpoint === undefined ? undefined : ANY_REGION);
  return {
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(chosen === undefined ? {} : { region: chosen }),
    forcePathStyle: pathStyle,
    maxAttempts: ATTEMPTS,
    requestHandler: { connectionTimeout: CONNECT_MS, socketTimeout: IDLE_MS },
  };
}
