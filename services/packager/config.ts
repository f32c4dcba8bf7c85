import { duration, integer, type Keys, text } from "../runtime/config.js";

/** What only the packager is told. */
export const packagerKeys = {
  packagerId: text({
    env: "PACKAGER_ID",
    meaning: "Name of this packager and its queue; it must stay with its volume. Empty: made from the host's name.",
    fallback: "",
  }),
  archivesAtOnce: integer(
    {
      env: "ARCHIVES_AT_ONCE",
      meaning: "Archives that are written at once, and as many that are uploaded; each takes about 0.5 KB of memory an asset.",
      fallback: "2",
    },
    { min: 1, max: 64 },
  ),
  uploadTimeoutMs: duration(
    { env: "UPLOAD_TIMEOUT", meaning: "An upload of an archive is given up when so long no byte moves.", fallback: "2m" },
    { min: "1s", max: "1h" },
  ),
  uploadAttempts: integer(
    { env: "UPLOAD_ATTEMPTS", meaning: "How often the upload of an archive is tried, each time with a fresh target.", fallback: "10" },
    { min: 1, max: 1000 },
  ),
  unknownKeepMs: duration(
    { env: "UNKNOWN_RUN_KEEP", meaning: "How long the masks of a run are kept that its own gateway does not know.", fallback: "24h" },
    { min: "1s", max: "1000h" },
  ),
} satisfies Keys;

const ID = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * The packager's id: the configured one, or the host's name made safe.
 * @throws Error that says what is allowed.
 */
export function packagerIdFrom(configured: string, hostname: string): string {
  const id = configured === "" ? hostname.replace(/[^A-Za-z0-9_-]/g, "-").slice(0, 64) || "packager" : configured;
  if (!ID.test(id)) throw new Error(`PACKAGER_ID is ${JSON.stringify(id)}; allowed: 1 to 64 of the characters A-Z a-z 0-9 _ and -`);
  return id;
}
