import { traceBehaviours } from "./trace-behaviours.js";
import { tracedInThisProcess } from "./traced-sessions.js";

traceBehaviours("the memory bus", { system: "maskline_memory", serviceOf: () => "maskline-all", run: tracedInThisProcess });
