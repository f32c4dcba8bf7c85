/** Where blobs are kept: what BLOB_URL and its companions say. */
export type BlobPlace = { readonly kind: "folder"; readonly folder: string } | ({ readonly kind: "bucket" } & BucketPlace);

/** A bucket of an S3-compatible store. Credentials are found by the SDK's own chain. */
export interface BucketPlace {
  readonly bucket: string;
  /** Of all keys, without slashes at its ends; empty: the bucket is ours alone. */
  readonly prefix: string;
  /** Undefined: Amazon's of the region. */
  readonly endpoint: string | undefined;
  /** Undefined: what the SDK finds. */
  readonly region: string | undefined;
  /** `endpoint/bucket/key` in place of `bucket.endpoint/key`. */
  readonly pathStyle: boolean;
}
