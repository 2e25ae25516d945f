/** `scontrol show licenses`. */

import { licenseJson, licenseText } from "../../../view/license-record.ts";
import { isSlurmName } from "../../connect.ts";
import type { Scope } from "./scope.ts";
import { printDocument } from "./show-json.ts";

/** All licenses, or one. */
export async function showLicenses(words: readonly string[], scope: Scope): Promise<number> {
  const { context, show } = scope;
  const [wanted = ""] = words;
  const peer = await scope.peer("slurm_load_license error");
  const { licenses, now } = await peer.call("licenses.list", {});
  const chosen = licenses.filter(({ name }) => wanted === "" || name === wanted);
  if (show.document) await printDocument("licenses", () => chosen.map(licenseJson), now, peer, scope);
  else if (licenses.length === 0) context.stdio.out("No licenses configured in Slurm.\n");
  else for (const row of chosen) context.stdio.out(licenseText(row, show.oneLine));
  // Slurm says nothing of a name that it does not know.
  if (chosen.length > 0 || wanted === "" || licenses.length === 0 || isSlurmName(context.program)) return 0;
  scope.error(`License ${wanted} not found`);
  return 1;
}
