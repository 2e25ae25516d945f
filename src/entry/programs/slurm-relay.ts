/** What a client starts within a job of Slurm's (srun --overlap) to reach the session there. Not for people. */

import { relaySocket } from "../../platform/program-pipe.ts";

// Slurm tells all of a job's processes that it is to end; the session's last words still have to pass.
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1", "SIGUSR2"] as const) process.on(signal, () => {});

void relaySocket(process.argv[2] ?? "").then((code) => process.exit(code));
