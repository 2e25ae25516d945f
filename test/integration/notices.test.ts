/** Notices of jobs: mail through a sendmail to a local SMTP server, web addresses of a local HTTP server, signed. */

import { createHmac } from "node:crypto";
import { chmodSync } from "node:fs";
import { createServer as createHttp, type Server as HttpServer } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TestCluster } from "./support/cluster.ts";
import { Terminal } from "./support/terminal.ts";

interface Mail {
  readonly to: readonly string[];
  readonly text: string;
}

/** Takes any mail, as RFC 5321 has it. */
class SmtpSink {
  readonly mails: Mail[] = [];
  readonly server: Server = createServer((socket) => this.#serve(socket));

  #serve(socket: Socket): void {
    const to: string[] = [];
    let data: string[] | null = null;
    let rest = "";
    const take = (line: string): void => {
      if (data === null) {
        if (/^RCPT TO:/i.test(line)) to.push(/<(.*)>/.exec(line)?.[1] ?? "");
        if (/^DATA/i.test(line)) data = [];
        socket.write(/^DATA/i.test(line) ? "354 go on\r\n" : "250 fine\r\n");
      } else if (line === ".") {
        this.mails.push({ to: to.splice(0), text: data.join("\n") });
        data = null;
        socket.write("250 taken\r\n");
      } else data.push(line.replace(/^\.\./, "."));
    };
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      const lines = (rest + chunk).split("\r\n");
      rest = lines.pop() ?? "";
      for (const line of lines) take(line);
    });
    socket.on("error", () => {});
    socket.write("220 sink\r\n");
  }
}

interface Posted {
  readonly path: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

const sink = new SmtpSink();
const posted: Posted[] = [];
let refusals = 1;
const web: HttpServer = createHttp((request, response) => {
  let body = "";
  request.setEncoding("utf8").on("data", (chunk: string) => {
    body += chunk;
  });
  request.on("end", () => {
    // The first one meets a server that is not well: it comes again.
    response.writeHead(refusals-- > 0 ? 503 : 200).end();
    if (response.statusCode === 200) posted.push({ path: request.url ?? "", headers: request.headers, body });
  });
});

/** What a machine has as sendmail: the mail on standard input, recipients as words; it speaks SMTP to where it belongs. */
const SENDMAIL = `#!${process.execPath}
const { createConnection } = require("node:net");
const to = process.argv.slice(2).filter((word) => !word.startsWith("-"));
let mail = "";
process.stdin.setEncoding("utf8").on("data", (chunk) => (mail += chunk)).on("end", () => {
  const text = mail.replace(/^\\./gm, "..").replace(/\\n/g, "\\r\\n");
  const says = ["EHLO here", "MAIL FROM:<mgpu@here>", ...to.map((one) => "RCPT TO:<" + one + ">"), "DATA", text + ".", "QUIT"];
  const link = createConnection(SMTP_PORT, "127.0.0.1");
  link.on("data", () => (says.length > 0 ? link.write(says.shift() + "\\r\\n") : link.end()));
});
`;

let cluster: TestCluster;
let address = "";

beforeAll(async () => {
  for (const server of [sink.server, web]) await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  address = `http://127.0.0.1:${(web.address() as AddressInfo).port}`;
  const files = new TestCluster();
  cluster = files;
  const port = (sink.server.address() as AddressInfo).port;
  const sendmail = cluster.write("sendmail", SENDMAIL.replace("SMTP_PORT", String(port)));
  chmodSync(sendmail, 0o755);
  const secret = cluster.write("secret", "s3cret\n");
  await cluster.ok("mgpu", ["up"], { env: { MGPU_MAIL_PROG: sendmail, MGPU_WEBHOOK_SECRET_FILE: secret } });
}, 60_000);

afterAll(async () => {
  await cluster.stop();
  for (const server of [sink.server, web]) server.close();
});

test("a mail and a notice tell the end, the last lines, and how much was used", async () => {
  const script = "#!/bin/sh\nseq 20\nprintf '10%%\\r\\033[31m100%%\\033[0m\\n'\nsleep 1\nexit 3\n";
  const options = [
    "-J",
    "train",
    "--mem=100",
    "--mail-type=END",
    "--mail-user=ada@lab.example",
    `--notify=${address}/x`,
  ];
  const job = await cluster.submit(script, [...options, "-o", "train-%j.txt"]);
  await cluster.until(() => sink.mails.length > 0 && posted.length > 0, "mail and notice are there");
  const [mail] = sink.mails;
  expect(mail?.to).toEqual(["ada@lab.example"]);
  const [head = "", ...body] = (mail?.text ?? "").split("\n\n");
  expect(head).toMatch(
    new RegExp(
      `^To: ada@lab.example\nSubject: Slurm Job_id=${job} Name=train Ended, Run time 00:00:0\\d, FAILED, ExitCode 3\n`,
    ),
  );
  const file = join(cluster.work, `train-${job}.txt`);
  const last = [...Array.from({ length: 9 }, (_, at) => String(at + 12)), "100%"];
  expect(body.at(-1)).toBe([`Last lines of ${file}:`, ...last.map((line) => `  ${line}`)].join("\n"));
  expect(body[0]).toMatch(/^CPU Efficiency: \d/);

  const [notice] = posted;
  expect(notice?.path).toBe("/x");
  const signature = createHmac("sha256", "s3cret")
    .update(notice?.body ?? "")
    .digest("hex");
  expect(notice?.headers["x-mgpu-signature"]).toBe(`sha256=${signature}`);
  expect(JSON.parse(notice?.body ?? "")).toMatchObject({
    event: "Ended",
    job: { id: job, name: "train", state: "FAILED", exitCode: 3 },
    output: { path: file, lines: last },
    efficiency: [expect.stringMatching(/^CPU Efficiency: /), expect.anything()],
  });
});

test("when all jobs of a user are done, that is told once, in the words of each service", async () => {
  posted.length = 0;
  const held = await cluster.hold();
  const services = ["slack:", "discord:", "ntfy:"].map((kind) => `${kind}${address}/${kind.slice(0, -1)}`).join(",");
  await cluster.submit("#!/bin/sh\ntrue\n", ["-o", "/dev/null", "--mail-type=ALL_DONE", `--notify=${services}`]);
  const other = await cluster.submit("#!/bin/sh\nfalse\n", ["-o", "/dev/null"]);
  await cluster.untilState(other, "FAILED");
  expect(posted).toEqual([]);
  await held.release();
  await cluster.until(() => posted.length >= 3, "all three are told");
  const by = (path: string) => posted.find((one) => one.path === path)?.body ?? "";
  const text = `Slurm All jobs of ${userInfo().username} are done: 3 ended, 1 not COMPLETED, the last one was Job_id=${held.jobId}`;
  expect(JSON.parse(by("/slack"))).toEqual({ text });
  expect(JSON.parse(by("/discord"))).toEqual({ content: text });
  expect(by("/ntfy")).toBe(text);
  expect(posted).toHaveLength(3);
});

test("who waits for an allocation is told by the terminal when it is there", async () => {
  const terminal = new Terminal(cluster, ["mgpu-salloc", "--notify=desktop", "true"]);
  expect((await terminal.ended).code).toBe(0);
  expect(terminal.screen).toMatch(/\x1b\](9|777;notify;mgpu);job \d+ has its allocation\x1b\\/);
});

test("wrong addresses are refused, and a terminal that nobody waits at is said to be none", async () => {
  const wrong = await cluster.run("mgpu-sbatch", ["--notify=ftp://x", "--mail-user=|rm", "--wrap", "true"]);
  expect(wrong.code).toBe(1);
  expect(wrong.stderr).toContain("--notify: expected web addresses such as https://host/path");
  expect(wrong.stderr).toContain('--mail-user: expected a user or an address, got "|rm"');
  const told = await cluster.run("mgpu-sbatch", ["--notify=desktop", "-o", "/dev/null", "--wrap", "true"]);
  expect(told).toMatchObject({
    code: 0,
    stderr: expect.stringContaining("--notify: desktop has no effect: nobody waits"),
  });
});
