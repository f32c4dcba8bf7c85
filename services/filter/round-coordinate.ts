/** Coordinates become integers once, before anything is painted (docs/fill-semantics.md section 1). */

/**
 * Adding and taking away 1.5 * 2^52 rounds a double to the nearest integer, halves to the even neighbour, for |v| < 2^51; anything larger
 * stays far beyond 32 bits.
 */
const ROUNDING = 6755399441055744;

export const INT32_MIN = -(2 ** 31);
export const INT32_MAX = 2 ** 31 - 1;

/** The nearest integer, halves to the even one; to be compared with the bounds of 32 bits. */
export function roundedCoordinate(value: number): number {
  return value + ROUNDING - ROUNDING;
}
