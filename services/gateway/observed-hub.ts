/** Traces and metrics of the calls to Hub, whichever end it is: wraps the port. */
import { stat } from "node:fs/promises";
import { stageBytes } from "../runtime/telemetry/metrics.js";
import { inStage, type StageOptions } from "../runtime/telemetry/stage.js";
import type { HubEnd, Session } from "./hub.js";

/** The Hub end, observed. A session's calls belong to the span that its `traceparent` names. */
export function observedHub(hub: HubEnd): HubEnd {
  const observed = <T>(name: string, stage: string, session: Session, call: () => Promise<T>): Promise<T> => {
    const options: StageOptions = { stage, role: "gateway", kind: "client", attributes: { "maskline.session": session.session } };
    return inStage(name, session.traceparent, options, call);
  };
  return {
    ...hub,
    project: (session, signal) => observed("read project", "project", session, () => hub.project(session, signal)),
    fetchExport: (session, options, file, signal) =>
      observed("download export", "export", session, async () => {
        await hub.fetchExport(session, options, file, signal);
        stageBytes.add((await stat(file)).size, { "maskline.stage": "export" });
      }),
    uploadTarget: (session, archiveName, signal) =>
      observed("get upload target", "upload_target", session, () => hub.uploadTarget(session, archiveName, signal)),
    answer: (session, answer, signal) => observed("answer session", "answer", session, () => hub.answer(session, answer, signal)),
  };
}
