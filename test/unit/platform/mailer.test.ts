import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { silentLog } from "../../../src/platform/log.ts";
import { realMailer } from "../../../src/platform/mailer.ts";

let folder = "";
let warned: string[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mgpu-mail-"));
  warned = [];
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const log = () => ({ ...silentLog(), warn: (text: string) => void warned.push(text) });

/** A mail program that writes down how it was called. */
function program(name: string, more = ""): string {
  const path = join(folder, name);
  const told = `printf '%s\\n' "$@" "id=$SLURM_JOB_ID" "$(cat)" > ${folder}/part.$$; mv ${folder}/part.$$ ${folder}/told`;
  writeFileSync(path, `#!/bin/sh\necho noise; echo noise >&2\n${told}\n${more}\n`);
  chmodSync(path, 0o755);
  return path;
}

const told = () => vi.waitUntil(() => existsSync(`${folder}/told`) && readFileSync(`${folder}/told`, "utf8"), 10_000);

test("a mail program is called as Slurm calls it, and nothing in a subject reaches a shell", async () => {
  const mailer = realMailer(program("mail"), log());
  expect(mailer.problem()).toBe("");
  const subject = "Slurm Job_id=1 Name=it's $(touch x) `y`\nnext Began";
  mailer.send({ to: "ada@lab.org", subject, variables: { SLURM_JOB_ID: "1'2" } });
  const oneLine = subject.replace("\n", " ");
  expect(await told()).toBe(`-s\n${oneLine}\nada@lab.org\nid=1'2\n\n`);
  rmSync(`${folder}/told`);
  mailer.send({ to: "bob", subject: "second", variables: {} });
  expect(await told()).toBe("-s\nsecond\nbob\nid=\n\n");
  expect(warned).toEqual([]);
});

test("sendmail gets the head on its standard input", async () => {
  realMailer(program("sendmail"), log()).send({ to: "a,b", subject: "s", variables: { SLURM_JOB_ID: "7" } });
  expect(await told()).toBe(
    "-oi\na\nb\nid=7\nTo: a,b\nSubject: s\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n",
  );
});

test("a program that fails is logged, and one that is not there is named", async () => {
  realMailer(program("mail", "exit 3"), log()).send({ to: "a", subject: "s", variables: {} });
  await vi.waitUntil(() => warned.length > 0, 10_000);
  expect(warned).toEqual(["the mail program failed"]);
  const missing = realMailer("/no/mail", log());
  expect(missing.problem()).toContain("/no/mail is no program; MGPU_MAIL_PROG");
  missing.send({ to: "a", subject: "s", variables: {} });
  expect(warned).toHaveLength(2);
});

test("no line of a body begins what a mail program would carry out", async () => {
  const body = ["~! id", "\r~!id", "\0~!id", "\u0085~!id", "a\n~! id", "a ~! id", "~", "~~."];
  const safe = [" ~! id", " ~!id", " ~!id", " ~!id", "a ~! id", "a ~! id", " ~", " ~~."];
  realMailer(program("mail"), log()).send({ to: "a", subject: "s", variables: {}, body });
  expect(await told()).toBe(`-s\ns\na\nid=\n${safe.join("\n")}\n`);
  rmSync(`${folder}/told`);
  realMailer(program("sendmail"), log()).send({ to: "a", subject: "s", variables: {}, body });
  expect((await told()).split("\n\n")[1]).toBe(`${safe.join("\n")}\n`);
});
