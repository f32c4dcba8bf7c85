import { traceBehaviours } from "./trace-behaviours.js";

traceBehaviours("the memory bus", { system: "maskline_memory", open: (memory) => memory });
