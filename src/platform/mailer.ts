/**
 * Sending mail by a mail program, as Slurm's MailProg: `PROGRAM -s SUBJECT USER`, the body on its standard input.
 *
 * The controller must neither wait for such a program nor fork once a mail (a fork costs the more the larger the
 * process is). So the first mail starts one small shell, and each mail is a command line on its standard input. It runs
 * them one after another, each with a time limit, and says how each ended. What it was told outlives the controller.
 */

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import type { Readable, Writable } from "node:stream";
import type { Log } from "./log.ts";

export interface Mail {
  /** A user or an address, or several with commas between them. */
  readonly to: string;
  readonly subject: string;
  /** Lines of text; none for a mail without a body. */
  readonly body?: readonly string[];
  /** Put into the program's environment. */
  readonly variables: Readonly<Record<string, string>>;
}

export interface Mailer {
  /** Why no mail can be sent now, in words; empty if it can. */
  problem(): string;
  /** Never waits; what fails is logged. */
  send(mail: Mail): void;
}

/** Where mail programs are, best first. */
const PROGRAMS = ["/usr/bin/mail", "/bin/mail", "/usr/bin/mailx", "/usr/sbin/sendmail", "/usr/lib/sendmail"];

/** Mails on their way; more are dropped, with a line in the log: a mail program that hangs must fill no memory. */
const WAITING_MAX = 1000;

/** How long a mail program may take, seconds. */
const PROGRAM_S = 60;

/** Each line after this one is a mail; `run` prints a line with the exit code. */
const PRELUDE = `trap '' HUP INT PIPE
if command -v timeout >/dev/null; then limited() { timeout -k 5 ${PROGRAM_S} "$@"; }; else limited() { "$@"; }; fi
run() { limited "$@" >/dev/null 2>&1; echo $?; }
`;

type Helper = ChildProcessByStdio<Writable, Readable, null>;

/** @param wanted absolute path of the program; empty for the first of the usual ones that is there */
export function realMailer(wanted: string, log: Log): Mailer {
  let helper: Helper | null = null;
  let waiting: string[] = [];

  const forget = (which: Helper): void => {
    if (helper !== which) return;
    if (waiting.length > 0) log.warn("mail may be lost: its shell has ended", { mails: waiting.length });
    helper = null;
    waiting = [];
  };

  const start = (): Helper => {
    const made = spawn("/bin/sh", [], { cwd: "/", detached: true, stdio: ["pipe", "pipe", "ignore"] });
    made.unref();
    made.once("error", (error) => {
      log.warn("no shell for mail could be started", { error: String(error) });
      forget(made);
    });
    made.once("exit", () => forget(made));
    made.stdin.on("error", () => forget(made));
    let text = "";
    made.stdout.setEncoding("latin1").on("data", (chunk: string) => {
      const lines = (text + chunk).split("\n");
      text = lines.pop() ?? "";
      for (const code of lines) {
        const subject = waiting.shift();
        if (code !== "0") log.warn("the mail program failed", { subject, code });
      }
    });
    made.stdin.write(PRELUDE);
    return made;
  };

  return {
    problem: () => findProgram(wanted).problem,
    send(mail) {
      const { program, problem } = findProgram(wanted);
      if (problem || waiting.length >= WAITING_MAX) {
        log.warn("mail was not sent", { ...mail, problem: problem || "too many wait for the mail program" });
        return;
      }
      helper ??= start();
      waiting.push(mail.subject);
      helper.stdin.write(mailLine(program, mail));
    },
  };
}

/** A shell's line that sends a mail. */
function mailLine(program: string, { to, subject, variables, body = [] }: Mail): string {
  const settings = Object.entries(variables).map(([name, value]) => `${name}=${quoted(value)}`);
  const exported = settings.length > 0 ? `export ${settings.join(" ")}; ` : "";
  // In a subshell, so that the variables are this mail's only.
  const lines = body.map((line) => quoted(bodyLine(line))).join(" ");
  if (!isSendmail(program)) {
    const call = [program, "-s", subject, to].map(quoted).join(" ");
    if (body.length === 0) return `(${exported}run ${call} </dev/null)\n`;
    return `printf '%s\\n' ${lines} | (${exported}run ${call})\n`;
  }
  const fields = [`To: ${to}`, `Subject: ${subject}`, "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8"];
  const head = [...fields, ""].map(quoted).join(" ");
  const call = [program, "-oi", ...to.split(",")].map(quoted).join(" ");
  return `printf '%s\\n' ${head} ${lines} | (${exported}run ${call})\n`;
}

/** Such a program reads the mail with its head, and has no subject among its arguments. */
function isSendmail(program: string): boolean {
  return /\/(sendmail|msmtp)$/.test(program);
}

function findProgram(wanted: string): { readonly program: string; readonly problem: string } {
  const program = (wanted === "" ? PROGRAMS : [wanted]).find(isProgram);
  if (program !== undefined) return { program, problem: "" };
  const what = wanted === "" ? "this controller's machine has no mail program" : `${wanted} is no program`;
  return { program: "", problem: `${what}; MGPU_MAIL_PROG names one when mgpu is started` };
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function quoted(text: string): string {
  return `'${oneLine(text).replaceAll("'", "'\\''")}'`;
}

/** Some mail programs (GNU mailutils) carry out lines that begin with `~`, whoever wrote them: `~! command`. */
function bodyLine(text: string): string {
  const line = oneLine(text);
  return line.startsWith("~") ? ` ${line}` : line;
}

function oneLine(text: string): string {
  return text.replace(/\p{Cc}/gu, " ");
}
