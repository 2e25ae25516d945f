/**
 * As whom a step runs. Root's node daemon runs it as its submitter, who is known here by name; any other daemon can run
 * steps as its own user only, and does so for a controller that serves nobody else.
 */

import { RpcError } from "../protocol/errors.ts";
import type { NodeLaunch } from "../protocol/procedures.ts";
import type { AgentContext } from "./agent-context.ts";
import type { LaunchFault } from "./agent-end.ts";
import { messageOf } from "./deferred.ts";
import type { Runner, RunnerAccount } from "./holder-factory.ts";

/** Whether a launch is for somebody else than root, by root's daemon. */
export function isOthers({ holders }: AgentContext, { user }: NodeLaunch): boolean {
  return holders.others !== null && user.uid !== 0;
}

/** Another machine may know the user. */
const UNWELCOME: LaunchFault = { nodeFault: false, unwelcome: true };

type Settled =
  | { readonly launch: NodeLaunch; readonly user: Runner | null }
  | { readonly problem: string; readonly fault: LaunchFault };

/**
 * The launch as it is to be carried out, and as whom; `user` is `null` for the daemon's own. Or why that can't be, in
 * words, and whether that is this machine's trouble with anybody, or with this user only.
 */
export async function settleUser(context: AgentContext, launch: NodeLaunch): Promise<Settled> {
  const { holders, name, user: own } = context;
  const { user } = launch;
  if (!isOthers(context, launch)) {
    const isOwn = own === null || own.uid === 0 || user.name === own.name;
    if (!launch.isShared || isOwn) return { launch, user: null };
    const cure = "start mgpud as root there, or leave that node out";
    return { problem: `node ${name} runs jobs of ${own.name} only, not of ${user.name}: ${cure}`, fault: UNWELCOME };
  }
  try {
    const account = await holders.others?.resolve(user);
    return account
      ? { launch: asAccount(launch, account, context.controller), user: runnerOf(account) }
      : { launch, user: null };
  } catch (error) {
    const nodeFault = (error as { nodeFault?: unknown }).nodeFault === true;
    const fault = nodeFault ? { nodeFault } : UNWELCOME;
    return { problem: `node ${name} can't run jobs of ${user.name}: ${messageOf(error)}`, fault };
  }
}

/**
 * With whose rights a job's output is read here. Rejects with RpcError where the user is nobody, or told by numbers only,
 * which are the controller's.
 */
export async function readerOf<
  U extends { readonly uid: number; readonly gid: number; readonly name?: string | undefined },
>({ holders, name: node }: AgentContext, user: U): Promise<U | RunnerAccount> {
  const { others } = holders;
  if (!others || user.uid === 0) return user;
  if (user.name === undefined) throw new RpcError("UNREADABLE", `node ${node}: user ${user.uid} came without a name`);
  try {
    return await others.resolve({ uid: user.uid, gid: user.gid, name: user.name });
  } catch (error) {
    throw new RpcError("UNREADABLE", `node ${node}: ${messageOf(error)}`);
  }
}

/** As whom programs of a user who asks are run; `null` for the daemon's own user. @throws RpcError if that can't be */
export async function askerOf(context: AgentContext, asker: Runner, isShared: boolean): Promise<RunnerAccount | null> {
  const { holders, name, user: own } = context;
  if (asker.uid === 0 && own?.uid === 0) return null;
  if (holders.others === null || own?.uid !== 0) {
    if (!isShared || own === null || asker.name === own.name) return null;
    throw new RpcError("PERMISSION", `node ${name} runs programs of ${own.name} only, not of ${asker.name}`);
  }
  try {
    return await holders.others.resolve(asker);
  } catch (error) {
    throw new RpcError("PERMISSION", `node ${name} runs nothing of ${asker.name}: ${messageOf(error)}`);
  }
}

function runnerOf({ uid, gid, name }: Runner): Runner {
  return { uid, gid, name };
}

/** With what a login of the user sets, where the environment is somebody else's or has none. */
function asAccount(launch: NodeLaunch, account: RunnerAccount, controller: string): NodeLaunch {
  const { environment } = launch;
  // Theirs may lead to a state folder of root's.
  const way = controller === "" ? {} : { MGPU_CONTROLLER: `unix:${controller}` };
  const login = { USER: account.name, LOGNAME: account.name, HOME: account.home, SHELL: account.shell };
  const isOwn = (environment.LOGNAME ?? environment.USER ?? account.name) === account.name;
  const settled = isOwn ? { ...login, ...environment } : { ...environment, ...login };
  return { ...launch, user: runnerOf(account), environment: { ...way, ...settled } };
}
