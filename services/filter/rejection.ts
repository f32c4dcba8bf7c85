import type { RejectCode } from "../../proto/outcomes.js";

/** What is wrong with the asset itself: it is set aside with this reason, and the export goes on. `message` is for people. */
export class Rejection extends Error {
  override readonly name = "Rejection";
  constructor(
    readonly code: RejectCode,
    reason: string,
  ) {
    super(reason);
  }
}
