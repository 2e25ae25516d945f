/** All that `mgpu sim` needs of the replay: loaded as a bundle of its own, so that no other command grows by it. */

export { changeCluster, describeCluster, idle, parseCluster, parseWhatIf, readNodes } from "./cluster.ts";
export { PLACEMENTS } from "./placement.ts";
export { DEFAULT_POLICIES, POLICIES } from "./policies.ts";
export { readTrace } from "./readers/detect.ts";
export { traceOfRecords } from "./readers/records.ts";
export { type Outcome, type Progress, policiesNamed, replay, type Variant } from "./replay.ts";
export { csvText, jsonText } from "./report/files.ts";
export { svgText } from "./report/svg.ts";
export { reportText } from "./report/table.ts";
export { ReplayError, TRACE_FORMATS, type Trace } from "./trace.ts";
