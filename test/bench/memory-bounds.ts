const ROLE_BYTES = 250e6;
/** The packager's ledger: where each mask lies. */
const PACKAGER_BYTES_PER_ASSET = 512;

/** What a role may take of memory at most, whatever its session. */
export function boundBytes(role: string, assets: number): number {
  return ROLE_BYTES + (role === "packager" ? assets * PACKAGER_BYTES_PER_ASSET : 0);
}
