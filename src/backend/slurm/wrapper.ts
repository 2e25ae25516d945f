/**
 * Shell code around a program or a batch script of a Slurm job: Python's environment before it, starting again and notices
 * after it. A wrapped script keeps its own directives, since sbatch reads those at the head of what it is given. Pure.
 */

import { type Activation, activate } from "../../core/activation.ts";
import type { NoticeTarget } from "../../core/notice.ts";
import { shellWord } from "../../util/shell-word.ts";
import type { Plan } from "./translate.ts";

/** Seconds that a web address has to take a notice. */
const NOTICE_LIMIT_S = 20;

/** Shell code that enters an environment, or ends with a sentence: on the node, where it is looked for. */
export function activationCode(wish: Activation, environment: Readonly<Record<string, string>>): string {
  const prefixes: string[] = [];
  const marker = wish.kind === "venv" ? "bin/python" : "conda-meta";
  // Asked of a machine that has nothing, it tells all the places where it looks.
  activate(wish, environment, (path) => {
    if (path.endsWith(`/${marker}`)) prefixes.push(path.slice(0, -marker.length - 1));
    return false;
  });
  const what = shellWord(`mgpu: no ${wish.kind === "venv" ? "virtual" : "conda"} environment ${wish.name} on `);
  const set =
    wish.kind === "venv"
      ? 'VIRTUAL_ENV="$_mgpu_env"'
      : `CONDA_PREFIX="$_mgpu_env" CONDA_DEFAULT_ENV=${shellWord(wish.name)} CONDA_SHLVL=1`;
  return [
    `for _mgpu_env in ${[...new Set(prefixes)].map(shellWord).join(" ")} ""; do [ -e "$_mgpu_env/${marker}" ] && break; done`,
    `[ -n "$_mgpu_env" ] || { printf '%s%s\\n' ${what} "$(hostname)" >&2; exit 1; }`,
    `export PATH="$_mgpu_env/bin:$PATH" ${set}`,
    "unset PYTHONHOME _mgpu_env",
    "",
  ].join("\n");
}

/** A program's words within an environment. */
export function activated(words: readonly string[], code: string): string[] {
  return ["/bin/sh", "-c", `${code}exec "$0" "$@"`, ...words];
}

/** A batch script with what goes around it. `mark` must not occur in it as a line. */
export function wrapScript(script: string, plan: Plan, code: string, mark: string): string {
  const text = script.endsWith("\n") ? script : `${script}\n`;
  return [
    "#!/bin/sh\n",
    ...headOf(text),
    "# What follows was put around the script by mgpu-sbatch.\n",
    code,
    '_mgpu_script=$(mktemp "${TMPDIR:-/tmp}/mgpu-job.XXXXXX") || exit 1\n',
    `cat >"$_mgpu_script" <<'${mark}'\n${text}${mark}\n`,
    'chmod 700 "$_mgpu_script"\n',
    '"$_mgpu_script" "$@" <&0 &\n_mgpu_pid=$!\n',
    'for _mgpu_signal in TERM INT HUP USR1 USR2; do trap "kill -$_mgpu_signal $_mgpu_pid 2>/dev/null" "$_mgpu_signal"; done\n',
    'while :; do wait "$_mgpu_pid"; _mgpu_status=$?; kill -0 "$_mgpu_pid" 2>/dev/null || break; done\n',
    'rm -f "$_mgpu_script"\n',
    plan.retries > 0 ? retryCode(plan.retries) : "",
    ...plan.notices.map(noticeCode),
    'exit "$_mgpu_status"\n',
  ].join("");
}

/** The lines that sbatch reads: comments and blanks up to the first command. */
function headOf(text: string): string[] {
  const lines = text.split("\n");
  const end = lines.findIndex((line) => !/^\s*(#|$)/.test(line));
  return lines.slice(0, end < 0 ? lines.length : end).flatMap((line) => (/^#SBATCH\b/.test(line) ? [`${line}\n`] : []));
}

/** Slurm counts the starts; a requeue ends this one. */
function retryCode(retries: number): string {
  return [
    `if [ "$_mgpu_status" -ne 0 ] && [ "\${SLURM_RESTART_COUNT:-0}" -lt ${retries} ]; then`,
    `  echo "mgpu: exit code $_mgpu_status; start again: $((\${SLURM_RESTART_COUNT:-0} + 1)) of ${retries}" >&2`,
    '  scontrol requeue "$SLURM_JOB_ID" && sleep 300',
    "fi",
    "",
  ].join("\n");
}

/** The address is a secret, and a command line is seen by all who can log in to the node: curl reads it from its input. */
function noticeCode({ kind, url }: NoticeTarget): string {
  const text = "Slurm Job_id=$SLURM_JOB_ID Name=$_mgpu_name Ended, ExitCode $_mgpu_status";
  const key = { slack: "text", discord: "content", json: "text", ntfy: "" }[kind];
  const body = key === "" ? `"${text}"` : `"{\\"${key}\\": \\"${text}\\"}"`;
  const type = key === "" ? "text/plain" : "application/json";
  return [
    `_mgpu_name=$(printf %s "$SLURM_JOB_NAME" | tr -d '"\\\\[:cntrl:]')\n`,
    `printf 'url = "%s"\\n' ${shellWord(url)} |\n`,
    `  curl -fsS -m ${NOTICE_LIMIT_S} -o /dev/null -H 'Content-Type: ${type}' --data-raw ${body} -K - ||\n`,
    '  echo "mgpu: a notice could not be sent" >&2\n',
  ].join("");
}
