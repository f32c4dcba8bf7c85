/** Secrets that are looked for wherever something leaves the services. */

/** The secret itself is the value. */
export type Canaries = Readonly<Record<string, string>>;

/** Which of the canaries are in the bytes: as they are, or as URLs, base64 and hexadecimal digits have them. */
export function findCanaries(bytes: Buffer | string, canaries: Canaries): string[] {
  const searched = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes);
  return Object.entries(canaries)
    .filter(([, secret]) => spellings(secret).some((spelling) => searched.includes(spelling)))
    .map(([name]) => name);
}

function spellings(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  // Base64 depends on where the secret begins; its first and last letters on what is beside it.
  const shifted = [0, 1, 2].map((offset) =>
    Buffer.concat([Buffer.alloc(offset), bytes])
      .toString("base64")
      .slice(offset === 0 ? 0 : 4, -4),
  );
  return [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), bytes.toString("hex"), ...shifted];
}
