/** What an operator on the gateway's own machine may ask of it, and what it answers: both ends read it from here. Pure. */
import { z } from "zod";

/** Where a session is. The last two have ended: in `answering` Hub does not have the answer yet. */
export const SESSION_STATES = ["waiting", "preparing", "unpinned", "running", "archiving", "uploading", "answering", "answered"] as const;
export type SessionState = (typeof SESSION_STATES)[number];

const sessionView = z.object({
  session: z.string(),
  run: z.string(),
  project: z.string(),
  state: z.enum(SESSION_STATES),
  /** Of one that has ended. */
  result: z.enum(["archive", "error"]).optional(),
  /** Assets that are final, of all; absent until the export is stored, and after the end. */
  progress: z.object({ done: z.number(), total: z.number() }).optional(),
  /** ISO 8601. */
  acceptedAt: z.string(),
  endedAt: z.string().optional(),
});
export type SessionView = z.infer<typeof sessionView>;

export const sessionList = z.object({ gateway: z.string(), sessions: z.array(sessionView) });
export type SessionList = z.infer<typeof sessionList>;

export const cancelRequest = z.object({ id: z.string().min(1), by: z.string() });

/** `unknown`: there is no such session. `ended before`: it had its answer, and keeps it. */
export const cancelReply = z.discriminatedUnion("done", [
  z.object({ done: z.literal("unknown"), gateway: z.string() }),
  z.object({ done: z.enum(["cancelled", "ended before"]), gateway: z.string(), session: sessionView }),
]);
export type CancelReply = z.infer<typeof cancelReply>;

/** The file by which the commands find the running gateway. */
export const operatorDoor = z.object({
  /** http://127.0.0.1:port */
  address: z.string(),
  token: z.string(),
  gateway: z.string(),
  pid: z.number(),
  /** ISO 8601. */
  startedAt: z.string(),
});
export type OperatorDoor = z.infer<typeof operatorDoor>;

/** In the gateway's folder under DATA_DIR. */
export const DOOR_FILE = "operator.json";
export const OPERATOR_PATHS = { sessions: "/sessions", cancel: "/cancel" } as const;
