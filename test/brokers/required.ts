/**
 * Why a test of a server that is not there is skipped: the given reason.
 * @param name as in `REQUIRE=nats,kafka,s3`, which turns skipping into failing
 * @throws Error with the reason when the server is required
 */
export function skipReason(name: string, reason: string): string {
  if (isRequired(name)) throw new Error(`REQUIRE asks for ${name}, and it is not there: ${reason}`);
  return `${name}: ${reason}`;
}

export function isRequired(name: string): boolean {
  return (process.env.REQUIRE ?? "")
    .split(",")
    .map((entry) => entry.trim())
    .includes(name);
}
