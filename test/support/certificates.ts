/** Certificates for tests, made by openssl. */
import { execFileSync, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** Why tests with certificates are skipped; false: they are not. */
export const withoutOpenssl = spawnSync("openssl", ["version"]).error ? "openssl is not installed" : false;

/** The files of one process. */
export interface CertificateFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface Authority {
  readonly ca: string;
  /** A certificate of this authority; valid for 127.0.0.1, and so many days from now. */
  issue(name: string, days?: number): CertificateFiles;
}

/** An authority of its own, in `folder`. */
export function createAuthority(folder: string, name: string): Authority {
  const file = (ending: string) => join(folder, `${name}.${ending}`);
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const openssl = (...args: string[]) => execFileSync("openssl", args, { stdio: "pipe" });
  openssl("req", "-x509", ...curve, "-keyout", file("key"), "-out", file("pem"), "-days", "2", "-subj", `/CN=${name}`);
  return {
    ca: file("pem"),
    issue(subject, days = 2) {
      const own = (ending: string) => join(folder, `${name}-${subject}.${ending}`);
      openssl("req", "-new", ...curve, "-keyout", own("key"), "-out", own("csr"), "-subj", `/CN=${subject}`);
      writeFileSync(own("ext"), "subjectAltName=IP:127.0.0.1,DNS:localhost\n");
      const signing = ["-CA", file("pem"), "-CAkey", file("key"), "-CAcreateserial", "-extfile", own("ext"), "-days", String(days)];
      openssl("x509", "-req", "-in", own("csr"), "-out", own("pem"), ...signing);
      return { ca: file("pem"), cert: own("pem"), key: own("key") };
    },
  };
}
