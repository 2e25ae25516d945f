/** The environment as our programs read it. */

import { resolve } from "node:path";

/** Makes the paths of our variables absolute, here and for daemons that this process starts: they work elsewhere. */
export function settleEnvironment(): NodeJS.ProcessEnv {
  const { env } = process;
  for (const name of ["MGPU_HOME", "MGPU_CONFIG"]) {
    const path = env[name];
    if (path && !path.startsWith("/")) env[name] = resolve(path);
  }
  return env;
}
