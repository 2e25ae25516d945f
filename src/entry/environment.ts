/** The environment as our programs read it. */

import { resolve } from "node:path";

/** Makes MGPU_HOME absolute, here and for daemons that this process starts: they work in another folder. */
export function settleEnvironment(): NodeJS.ProcessEnv {
  const { env } = process;
  if (env.MGPU_HOME && !env.MGPU_HOME.startsWith("/")) env.MGPU_HOME = resolve(env.MGPU_HOME);
  return env;
}
