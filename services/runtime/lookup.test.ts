import assert from "node:assert/strict";
import type { LookupAddress } from "node:dns";
import { describe, it } from "node:test";
import { checkedLookup } from "./lookup.js";

type Found = string | LookupAddress[];

function resolveName(name: string, check: (address: string) => void, all: boolean): Promise<Found> {
  return new Promise((resolve, reject) => {
    checkedLookup(check)(name, { all }, (error, found) => (error ? reject(error) : resolve(found)));
  });
}

const nothing = () => undefined;

describe("name resolution", () => {
  it("asks about every address before it is given, in both forms that a connection may want", async () => {
    const asked: string[] = [];
    const found = await resolveName("localhost", (address) => void asked.push(address), true);
    assert.ok(Array.isArray(found) && found.length > 0);
    assert.deepEqual(
      asked,
      found.map(({ address }) => address),
    );
    assert.equal(await resolveName("localhost", nothing, false), asked[0]);
  });

  it("leaves out what may not be asked, and says why when nothing is left", async () => {
    const onlyIpv4 = (address: string) => {
      if (address.includes(":")) throw new Error("no IPv6 here");
    };
    const found = await resolveName("localhost", onlyIpv4, true);
    assert.ok(Array.isArray(found) && found.every(({ family }) => family === 4));
    const refuse = (address: string) => {
      throw new Error(`not ${address}`);
    };
    await assert.rejects(resolveName("localhost", refuse, true), /^Error: not (?:127\.0\.0\.1|::1)$/);
    await assert.rejects(resolveName("localhost", refuse, false), /^Error: not/);
  });

  it("fails as itself for a name that there is not", async () => {
    await assert.rejects(resolveName("hub.invalid", nothing, true), { syscall: "getaddrinfo" });
  });
});
