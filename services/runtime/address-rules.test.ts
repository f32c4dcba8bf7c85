import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createAddressRules, parseAddressRange } from "./address-rules.js";

const rules = (...allowed: string[]) => createAddressRules(allowed.map(parseAddressRange));

describe("the rules for addresses", () => {
  const allowed = ["8.8.8.8", "93.184.216.34", "2606:2800:220:1::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "::FFFF:0808:0808"];
  for (const address of allowed) it(`let ${address} be asked`, () => assert.equal(rules().refusal(address), undefined));

  const refused: readonly (readonly [address: string, why: string])[] = [
    ["127.0.0.1", "loopback"],
    ["127.255.0.3", "loopback"],
    ["::1", "loopback"],
    ["0.0.0.0", "unspecified"],
    ["0.1.2.3", "unspecified"],
    ["::", "unspecified"],
    ["10.1.2.3", "private"],
    ["172.16.0.1", "private"],
    ["172.31.255.255", "private"],
    ["192.168.1.1", "private"],
    ["fc00::1", "private"],
    ["fd00:ec2::254", "private"],
    ["169.254.169.254", "link-local"],
    ["fe80::1", "link-local"],
    ["fe80::1%eth0", "link-local"],
    ["100.64.0.1", "carrier-grade NAT"],
    ["100.100.100.200", "carrier-grade NAT"],
    ["224.0.0.1", "multicast"],
    ["ff02::1", "multicast"],
    ["255.255.255.255", "broadcast"],
    ["198.18.0.1", "special"],
    ["192.0.0.192", "special"],
    ["168.63.129.16", "special"],
    ["::ffff:127.0.0.1", "loopback"],
    ["::ffff:7f00:1", "loopback"],
    ["0:0:0:0:0:ffff:a9fe:a9fe", "link-local"],
    ["::ffff:10.0.0.1", "private"],
    ["64:ff9b::a00:1", "private"],
    ["64:ff9b:1::a00:1", "special"],
    ["::127.0.0.1", "loopback"],
    ["::7f00:1", "special"],
    ["::808:808", "special"],
    ["2002:7f00:1::", "special"],
    ["2001:0:1::1", "special"],
    ["2001:db8::1", "special"],
    ["fec0::1", "special"],
    ["100::1", "special"],
  ];
  for (const [address, why] of refused) {
    it(`refuse ${address}: ${why}`, () => assert.match(rules().refusal(address) ?? "", new RegExp(`is (?:an?|the) ${why} address$`)));
  }

  it("refuse what is no address", () => assert.match(rules().refusal("localhost") ?? "", /is no address/));

  it("let what the operator allows be asked, in whatever form it comes, and nothing beside", () => {
    const own = rules("10.20.0.0/16", "127.0.0.1", "fd12::/16");
    for (const address of ["10.20.3.4", "::ffff:10.20.3.4", "64:ff9b::a14:304", "127.0.0.1", "fd12::5"]) {
      assert.equal(own.refusal(address), undefined, address);
    }
    for (const address of ["10.21.0.1", "127.0.0.2", "fd13::5", "::1", "169.254.169.254"]) assert.ok(own.refusal(address), address);
  });
});

describe("a range of addresses", () => {
  for (const text of ["10.0.0.0/8", "fd00::/8", "192.168.1.20", "::1", "0.0.0.0/0"]) {
    it(`is ${text}`, () => assert.equal(parseAddressRange(text).length, 2));
  }
  for (const text of [
    "10.0.0.0/33",
    "fd00::/129",
    "10.0.0/8",
    "010.0.0.1",
    "0x7f.1",
    "2130706433",
    "localhost",
    "",
    "10.0.0.0/8/8",
    "10.0.0.0/",
  ]) {
    it(`is not ${JSON.stringify(text)}`, () =>
      assert.throws(() => parseAddressRange(text), /is no range of addresses; allowed: 10\.0\.0\.0\/8/));
  }
});
