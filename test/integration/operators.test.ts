/** What operators change: a node is drained, a partition has limits, a reservation keeps a node free. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { TestCluster } from "./support/cluster.ts";

const cluster = new TestCluster({ env: { MGPU_NODE_ID: "n1" } });
beforeAll(() => cluster.ok("mgpu-srun", ["true"]));
afterAll(() => cluster.stop());

const scontrol = (...args: string[]) => cluster.run("mgpu-scontrol", args);
const reason = async (id: number): Promise<string> => (await cluster.queue("%r", "-j", `${id}`)).join("");

const TRUE = "#!/bin/sh\ntrue\n";
const SLEEP = "#!/bin/sh\nexec sleep 1000\n";

test("a drained node finishes what runs and takes nothing new until it is resumed", async () => {
  const running = await cluster.submit(SLEEP, ["-o", "none"]);
  await cluster.untilState(running, "RUNNING");
  expect(await scontrol("update", "NodeName=n1", "State=DRAIN", "Reason=bad fan")).toMatchObject({ code: 0 });
  const waiting = await cluster.submit(TRUE, ["-o", "none"]);
  await cluster.until(async () => (await reason(waiting)) === "ReqNodeNotAvail", "it waits for the node");
  expect(await cluster.state(running)).toBe("RUNNING");
  expect(await cluster.ok("mgpu-scontrol", ["show", "node", "n1"])).toMatch(
    /State=MIXED\+DRAIN [\s\S]*Reason=bad fan \[/,
  );
  await cluster.ok("mgpu-scancel", [`${running}`]);
  await cluster.ok("mgpu-scontrol", ["update", "NodeName=n1", "State=RESUME"]);
  await cluster.untilState(waiting, "COMPLETED");
});

test("a partition lets jobs wait that exceed its limits, and takes none when it is drained", async () => {
  await cluster.ok("mgpu-scontrol", ["create", "partition", "PartitionName=short", "Nodes=n1", "MaxTime=5"]);
  const long = await cluster.submit(TRUE, ["-o", "none", "-p", "short", "-t", "60"]);
  await cluster.until(async () => (await reason(long)) === "PartitionTimeLimit", "it is too long");
  expect(await scontrol("delete", "PartitionName=short")).toMatchObject({ code: 1 });
  await cluster.ok("mgpu-scontrol", ["update", "PartitionName=short", "MaxTime=2:00:00"]);
  await cluster.untilState(long, "COMPLETED");
  await cluster.ok("mgpu-scontrol", ["update", "PartitionName=short", "State=DRAIN"]);
  expect(await cluster.run("mgpu-sbatch", ["-p", "short", "--wrap", "true"])).toMatchObject({
    ...{ code: 1, stdout: "" },
    stderr: expect.stringContaining("Required partition not available (inactive or drain)"),
  });
  await cluster.ok("mgpu-scontrol", ["delete", "PartitionName=short"]);
});

test("a job of several partitions starts in the first that lets it, and shows that one", async () => {
  for (const name of ["down", "open"]) {
    await cluster.ok("mgpu-scontrol", ["create", "partition", `PartitionName=${name}`, "Nodes=n1", "State=DOWN"]);
  }
  const id = await cluster.submit("#!/bin/sh\necho in $SLURM_JOB_PARTITION\n", ["-p", "down,open"]);
  await cluster.until(async () => (await reason(id)) === "PartitionDown", "both are down");
  expect(await cluster.queue("%P", "-p", "open")).toEqual(["down,open"]);
  await cluster.ok("mgpu-scontrol", ["update", "PartitionName=open", "State=UP"]);
  await cluster.untilState(id, "COMPLETED");
  expect(await cluster.ok("mgpu-scontrol", ["show", "job", `${id}`])).toMatch(/ Partition=open /);
  for (const name of ["down", "open"]) await cluster.ok("mgpu-scontrol", ["delete", `PartitionName=${name}`]);
});

test("nothing of others runs into a reservation; its own jobs end with it", async () => {
  const user = (await cluster.ok("id", ["-un"])).trim();
  const words = ["StartTime=now+1hour", "Duration=10", `Users=${user}`, "Nodes=n1", "ReservationName=r"];
  await cluster.ok("mgpu-scontrol", ["create", "reservation", ...words]);
  const other = await cluster.submit(TRUE, ["-o", "none", "-t", "2:00:00"]);
  await cluster.until(async () => (await reason(other)) === "ReqNodeNotAvail", "it would run into it");
  const own = await cluster.submit(SLEEP, ["-o", "none", "-t", "5", "--reservation=r"]);
  await cluster.until(async () => (await reason(own)) === "Reservation", "it waits for its time");
  await cluster.ok("mgpu-scontrol", ["update", "ReservationName=r", "StartTime=now", "Duration=10"]);
  await cluster.untilState(own, "RUNNING");
  await cluster.ok("mgpu-scontrol", ["update", "ReservationName=r", "EndTime=now+1"]);
  await cluster.untilState(own, "TIMEOUT");
  await cluster.untilState(other, "COMPLETED");
});
