/**
 * Scheme, userinfo, authority and path, then query or fragment. Any scheme: brokers have URLs with passwords too. A query may hold
 * characters that JSON escapes, but ends before an escaped quote, so that a line of JSON stays one. Each URL is matched whole, with a
 * query or without, so that the time grows with the length of the text alone.
 */
const URL = /\b([a-z][a-z\d+.-]{0,20}:\/\/)(?:[^\s/"'@]*@)?([^\s"'?#]*)([?#](?:[^\s"'\\]|\\[^\s"])*)?/gi;

/** What makes a presigned URL one, wherever its text was torn to pieces or encoded in another's query. */
const SIGNATURE = /(X-Amz-(?:Signature|Credential|Security-Token)(?:=|%3D))[^&\s"'\\<]+/gi;

/** Removes the credentials, query and fragment of every URL in a text: a query may be a signature. Signatures go without their URL too. */
export function redactUrls(text: string): string {
  return text
    .replace(URL, (_, scheme: string, place: string, query: string | undefined) =>
      query === undefined ? `${scheme}${place}` : `${scheme}${place}?[redacted]`,
    )
    .replace(SIGNATURE, "$1[redacted]");
}

/** Shorter ones are found in innocent texts. */
const MIN_SECRET_LENGTH = 4;

/** Removes what `redactUrls` does, and each of the secrets, plain or percent-encoded. */
export function redact(text: string, secrets: readonly string[]): string {
  return secrets
    .filter((secret) => secret.length >= MIN_SECRET_LENGTH)
    .flatMap((secret) => [secret, encodeURIComponent(secret)])
    .reduce((safe, secret) => safe.replaceAll(secret, "[redacted]"), redactUrls(text));
}
