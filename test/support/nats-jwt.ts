/** Credentials of an operator-mode NATS server for tests: what `nsc` makes, with nothing but the client's keys. */
import { randomUUID } from "node:crypto";
import { nkeys } from "@nats-io/transport-node";

type KeyPair = ReturnType<typeof nkeys.createUser>;

export interface OperatorMode {
  /** Lines of the server's configuration. */
  readonly config: string;
  /** Content of a user's .creds file. */
  readonly creds: string;
}

const UNLIMITED = { subs: -1, data: -1, payload: -1 };

/** An operator with one account that may use JetStream, and one user of it. */
export function operatorMode(): OperatorMode {
  const [operator, system, account, user] = [nkeys.createOperator(), nkeys.createAccount(), nkeys.createAccount(), nkeys.createUser()];
  const storage = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };
  const limits = { ...UNLIMITED, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 };
  const operatorToken = token(operator, operator, { type: "operator", version: 2 });
  const systemToken = token(system, operator, { limits, type: "account", version: 2 });
  const accountToken = token(account, operator, { limits: { ...limits, ...storage }, type: "account", version: 2 });
  const userToken = token(user, account, { ...UNLIMITED, type: "user", version: 2 });
  const tokens = `${system.getPublicKey()}: ${systemToken}, ${account.getPublicKey()}: ${accountToken}`;
  const seed = new TextDecoder().decode(user.getSeed());
  return {
    config: `operator: ${operatorToken}\nsystem_account: ${system.getPublicKey()}\nresolver: MEMORY\nresolver_preload { ${tokens} }`,
    creds: `${block("NATS USER JWT", userToken)}\n${block("USER NKEY SEED", seed)}`,
  };
}

/** A signed JWT: the claims of `subject`, vouched for by `issuer`. */
function token(subject: KeyPair, issuer: KeyPair, claims: object): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const head = encode({ typ: "JWT", alg: "ed25519-nkey" });
  const times = { jti: randomUUID(), iat: Math.floor(Date.now() / 1000) };
  const body = encode({ ...times, iss: issuer.getPublicKey(), sub: subject.getPublicKey(), name: "test", nats: claims });
  const signature = Buffer.from(issuer.sign(new TextEncoder().encode(`${head}.${body}`))).toString("base64url");
  return `${head}.${body}.${signature}`;
}

function block(label: string, content: string): string {
  return `-----BEGIN ${label}-----\n${content}\n------END ${label}------\n`;
}
