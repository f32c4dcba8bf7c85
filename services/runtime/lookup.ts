/**
 * Name resolution that gives only addresses which may be connected to. What is checked is what is dialled: no second answer of a name server
 * can slip in between.
 */
import type { LookupAddress } from "node:dns";
import { lookup } from "node:dns/promises";
import type { LookupFunction } from "node:net";
import { createSlots } from "./slots.js";

/** A slow name server holds a thread of the four that all file access needs too, so only so many names are resolved at once. */
const MOST_LOOKUPS = 2;
/** Longer than anybody waits for a connection. */
const TURN_MS = 15_000;

/** @param check throws for an IP address that may not be connected to */
export function checkedLookup(check: (address: string) => void): LookupFunction {
  const lookups = createSlots(MOST_LOOKUPS);
  return (hostname, options, callback) => {
    const resolve = async () => usableOf(await lookup(hostname, { ...options, all: true }), check);
    lookups.within(resolve, AbortSignal.timeout(TURN_MS)).then(
      (usable) => (options.all ? callback(null, usable) : callback(null, usable[0].address, usable[0].family)),
      (error: NodeJS.ErrnoException) => callback(error, "", 0),
    );
  };
}

/** At least one. @throws what `check` threw about the first when none may be used */
function usableOf(found: readonly LookupAddress[], check: (address: string) => void): [LookupAddress, ...LookupAddress[]] {
  const usable: LookupAddress[] = [];
  let refusal: unknown;
  for (const address of found) {
    try {
      check(address.address);
      usable.push(address);
    } catch (error) {
      refusal ??= error;
    }
  }
  const [first, ...others] = usable;
  if (!first) throw refusal ?? new Error("the name has no address");
  return [first, ...others];
}
