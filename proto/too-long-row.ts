/** The one agreement between gateway and filter beside the messages: what is published for a row that is too long to be published. */

/**
 * What stands in the frozen file for a row that is longer than the limit: `!maskline:row-too-long:<bytes>:<limit>`. No JSON text
 * begins with `!`, so no readable row of an export can be taken for it.
 */
const TOO_LONG_ROW = "!maskline:row-too-long:";

/** The line that takes the place of a row of `bytes` bytes where `limit` are allowed. */
export function tooLongRow(bytes: number, limit: number): Buffer {
  return Buffer.from(`${TOO_LONG_ROW}${bytes}:${limit}`, "latin1");
}

/** The two numbers of such a line, or undefined for any other row. */
export function parseTooLongRow(row: Uint8Array): { readonly bytes: number; readonly limit: number } | undefined {
  if (row[0] !== TOO_LONG_ROW.charCodeAt(0) || row.length > 100) return undefined;
  const match = /^!maskline:row-too-long:(\d{1,20}):(\d{1,20})$/.exec(Buffer.from(row).toString("latin1"));
  return match ? { bytes: Number(match[1]), limit: Number(match[2]) } : undefined;
}
