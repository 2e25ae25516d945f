/** Runs in a thread of the controller: makes one snapshot and ends. */

import { type Compaction, compact } from "../../controller/store/compact.ts";
import { realDisk } from "../../platform/disk.ts";
import { workerCall } from "../../platform/worker.ts";

const call = workerCall();
if (call) void compact(realDisk(), call.data as Compaction).then((seq) => call.answer(seq));
