/**
 * Which addresses may be connected to for URLs that others have written: public ones, and those that the operator allows. Otherwise an
 * export could make us ask the services of our own network, or a cloud's metadata service for credentials. The only import of ipaddr.js.
 */
import ipaddr from "ipaddr.js";

/** A range of addresses: the first one, and how many bits of it are fixed. */
export type AddressRange = readonly [first: ipaddr.IPv4 | ipaddr.IPv6, bits: number];

export interface AddressRules {
  /** Why an IP address may not be connected to, such as `127.0.0.1 is a loopback address`; undefined when it may. */
  refusal(address: string): string | undefined;
}

/** What ipaddr.js calls the ranges of special addresses (IANA's special-purpose registries), in words. */
const RANGE_NAMES: Readonly<Record<string, string>> = {
  unspecified: "an unspecified",
  loopback: "a loopback",
  private: "a private",
  linkLocal: "a link-local",
  uniqueLocal: "a private",
  carrierGradeNat: "a carrier-grade NAT",
  multicast: "a multicast",
  broadcast: "the broadcast",
};

/** Looks public, and is the agent of a cloud's own hosts (Azure's wire server). */
const PUBLIC_METADATA = ["168.63.129.16"];

/** Two ways to write an IPv4 address as an IPv6 one that ends at the same host: mapped, and translated by NAT64 (RFC 6052). */
const IPV4_IN_IPV6 = [ipaddr.parseCIDR("::ffff:0:0/96"), ipaddr.parseCIDR("64:ff9b::/96")];
/** IPv4-compatible addresses: nobody uses them any more (RFC 4291 section 2.5.5.1). */
const IPV4_COMPATIBLE = ipaddr.parseCIDR("::/96");

/**
 * A range as `10.0.0.0/8`, `fd00::/8`, or a single address.
 * @throws Error that says what is allowed
 */
export function parseAddressRange(text: string): AddressRange {
  try {
    if (text.includes("/")) {
      const [first, bits] = ipaddr.parseCIDR(text);
      if (isWritten(text.slice(0, text.indexOf("/")))) return [first, bits];
    } else if (isWritten(text)) {
      const address = ipaddr.parse(text);
      return [address, address.toByteArray().length * 8];
    }
  } catch {
    // Said below.
  }
  throw new Error(`${JSON.stringify(text)} is no range of addresses; allowed: 10.0.0.0/8, fd00::/8, or one address as 192.168.1.20`);
}

/** Four parts in decimals, or IPv6: `010.1` could mean two things. */
function isWritten(address: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(address) || ipaddr.IPv6.isValid(address);
}

/** @param allowed ranges that may be connected to whatever they are */
export function createAddressRules(allowed: readonly AddressRange[]): AddressRules {
  return {
    refusal(text) {
      if (!ipaddr.isValid(text)) return `${JSON.stringify(text)} is no address`;
      const written = ipaddr.parse(text);
      const address = endpoint(written);
      if (allowed.some((range) => isIn(address, range) || isIn(written, range))) return undefined;
      const kind = address.range();
      if (kind === "unicast" && !PUBLIC_METADATA.includes(address.toString()) && !isIn(address, IPV4_COMPATIBLE)) return undefined;
      return `${text} is ${RANGE_NAMES[kind] ?? "a special"} address`;
    },
  };
}

/** The IPv4 address inside of an IPv6 one, where that is what is reached. */
function endpoint(address: ipaddr.IPv4 | ipaddr.IPv6): ipaddr.IPv4 | ipaddr.IPv6 {
  if (!IPV4_IN_IPV6.some((range) => isIn(address, range))) return address;
  return new ipaddr.IPv4(address.toByteArray().slice(12));
}

function isIn(address: ipaddr.IPv4 | ipaddr.IPv6, [first, bits]: AddressRange): boolean {
  return address.kind() === first.kind() && address.match(first, bits);
}
