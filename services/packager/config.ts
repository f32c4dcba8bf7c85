import { bytes, duration, integer, type Keys, text } from "../runtime/config.js";

/** What only the packager is told. */
export const packagerKeys = {
  packagerId: {
    ...text({
      env: "PACKAGER_ID",
      meaning:
        "Name of this packager and its queue. The first start on a volume writes it there and it stays, whatever the host is called later; " +
        "another name is refused. Empty: the volume's, at first made from the host's name.",
      fallback: "",
    }),
    parse: checkedId,
  },
  archivesAtOnce: integer(
    {
      env: "ARCHIVES_AT_ONCE",
      meaning: "Archives that are written at once, and as many that are uploaded; each takes about 0.5 KB of memory an asset.",
      fallback: "2",
    },
    { min: 1, max: 64 },
  ),
  archiveLimit: bytes(
    {
      env: "ARCHIVE_LIMIT",
      meaning:
        "Bytes of an archive at most; the masks of a larger one go into volumes of that size, which the archive lists. Amazon's storage takes 5G.",
      fallback: "4.5G",
    },
    { min: 1024, max: 16_384 * 2 ** 30 },
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

function checkedId(id: string): string {
  if (!/^[A-Za-z0-9_-]{0,64}$/.test(id)) throw new Error("allowed: 1 to 64 of the characters A-Z a-z 0-9 _ and -");
  return id;
}

/** The id of a packager that is given none: the host's name made safe. */
export function packagerIdOfHost(hostname: string): string {
  return hostname.replace(/[^A-Za-z0-9_-]/g, "-").slice(0, 64) || "packager";
}
