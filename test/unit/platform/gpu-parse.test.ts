import { describe, expect, it } from "vitest";
import {
  parseGpuTable,
  parseMigInstances,
  parseProcesses,
  parseProcessLoads,
  shortGpuType,
} from "../../../src/platform/gpu-parse.ts";

const UUID = "GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77";

describe("shortGpuType", () => {
  it.each([
    ["NVIDIA A100-SXM4-80GB", "a100"],
    ["NVIDIA A100 80GB PCIe", "a100"],
    ["Tesla V100-SXM2-32GB", "v100"],
    ["NVIDIA GeForce RTX 3090", "rtx3090"],
    ["NVIDIA GeForce RTX 3080 Ti", "rtx3080ti"],
    ["NVIDIA GeForce RTX 3070 Laptop GPU", "rtx3070"],
    ["GeForce GTX 1080 Ti", "gtx1080ti"],
    ["NVIDIA H100 80GB HBM3", "h100"],
    ["NVIDIA H100 PCIe", "h100"],
    ["NVIDIA H100 NVL", "h100"],
    ["NVIDIA H200", "h200"],
    ["NVIDIA GH200 144G HBM3e", "gh200"],
    ["NVIDIA RTX A6000", "a6000"],
    ["NVIDIA RTX 6000 Ada Generation", "rtx6000ada"],
    ["NVIDIA RTX PRO 6000 Blackwell Workstation Edition", "rtxpro6000blackwell"],
    ["Quadro RTX 8000", "rtx8000"],
    ["Quadro P6000", "p6000"],
    ["NVIDIA TITAN X (Pascal)", "titanx"],
    ["NVIDIA L40S", "l40s"],
    ["Tesla T4", "t4"],
    ["NVIDIA", "gpu"],
    ["", "gpu"],
  ])("%s is %s", (model, type) => {
    expect(shortGpuType(model)).toBe(type);
  });
});

describe("parseGpuTable", () => {
  it("reads a machine of eight H100, in order of their indices", () => {
    const line = (index: number) =>
      `${index}, GPU-0000000${index}, 81559, ${index}, 1024, 35, 71.20, Disabled, NVIDIA H100 80GB HBM3`;
    const { rows, complaint } = parseGpuTable(`${[1, 0, 2, 3, 4, 5, 6, 7].map(line).join("\n")}\n`);
    expect(complaint).toBe("");
    expect(rows.map((row) => row.gpu.index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(rows[7]).toEqual({
      gpu: { index: 7, uuid: "GPU-00000007", model: "NVIDIA H100 80GB HBM3", type: "h100", memoryMiB: 81_559 },
      load: { index: 7, utilisationPercent: 7, memoryUsedMiB: 1024, temperatureC: 35, powerW: 71.2 },
      mig: false,
    });
  });

  it.each([["[N/A]"], ["N/A"], ["[Not Supported]"], ["ERR!"], ["[Unknown Error]"], ["[GPU requires reset]"]])(
    "takes %s for not known",
    (word) => {
      const { rows } = parseGpuTable(`0, ${UUID}, ${word}, ${word}, ${word}, ${word}, ${word}, ${word}, Tesla K80\n`);
      expect(rows).toEqual([
        {
          gpu: { index: 0, uuid: UUID, model: "Tesla K80", type: "k80", memoryMiB: 0 },
          load: { index: 0, utilisationPercent: null, memoryUsedMiB: null, temperatureC: null, powerW: null },
          mig: false,
        },
      ]);
    },
  );

  it("keeps what can be read beside a GPU that fell off the bus", () => {
    const text =
      "Unable to determine the device handle for GPU0000:3B:00.0: GPU is lost.  Reboot the system to recover this GPU\n" +
      `1, ${UUID}, 24576, 0, 1, 30, 20.00, [N/A], NVIDIA GeForce RTX 3090\n`;
    const { rows, complaint } = parseGpuTable(text);
    expect(rows.map((row) => row.gpu.type)).toEqual(["rtx3090"]);
    expect(complaint).toContain("GPU is lost");
  });

  it.each([
    ["Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 535.183\n"],
    ["NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."],
    ["No devices were found"],
    ["0, ERR!, ERR!, ERR!, ERR!, ERR!, ERR!, ERR!, ERR!"],
    ["\u0000\u0001,,,,,,,,,,,"],
  ])("finds no GPU in %j", (text) => {
    const { rows, complaint } = parseGpuTable(text);
    expect(rows).toEqual([]);
    expect(complaint).not.toBe("");
  });

  it("finds nothing in nothing", () => {
    expect(parseGpuTable("")).toEqual({ rows: [], complaint: "" });
  });
});

describe("parseProcesses", () => {
  it("groups processes by GPU and skips what is none", () => {
    const text = `${UUID}, 4242, 1024\n${UUID}, 4243, [N/A]\nGPU-b, 7, 12\nGPU-b, [Insufficient Permissions], 3\n\nnoise`;
    expect([...parseProcesses(text)]).toEqual([
      [
        UUID,
        [
          { pid: 4242, memoryMiB: 1024 },
          { pid: 4243, memoryMiB: 0 },
        ],
      ],
      ["GPU-b", [{ pid: 7, memoryMiB: 12 }]],
    ]);
  });
});

describe("parseProcessLoads", () => {
  // The drivers 535 and 570.
  it.each([
    [
      "# gpu        pid  type    sm   mem   enc   dec   command\n# Idx          #   C/G     %     %     %     %   name\n" +
        "    0       4711     C    87    20     -     -   python         \n    0       4712     C     -     -     -     -   idle\n" +
        "    1          -     -     -     -     -     -   -              \n",
    ],
    [
      "# gpu         pid   type     sm    mem    enc    dec    jpg    ofa    command \n" +
        "# Idx           #    C/G      %      %      %      %      %      %    name \n" +
        "    0       4711     C     87     20      -      -      -      -    python\n",
    ],
  ])("reads what each process does of a GPU's work", (text) => {
    expect([...parseProcessLoads(text)]).toEqual([["0 4711", 87]]);
  });

  it("finds nothing in complaints", () => {
    expect(parseProcessLoads("Not supported on the device(s)\nFailed to process command line.\n").size).toBe(0);
    expect(parseProcessLoads("").size).toBe(0);
  });
});

describe("parseMigInstances", () => {
  it("lists instances as GPUs of their own", () => {
    const text = `GPU 0: NVIDIA A100-SXM4-40GB (UUID: ${UUID})
  MIG 3g.20gb     Device  0: (UUID: MIG-c7384736-a75d-5afc-978f-d2f1294409fd)
  MIG 1g.5gb      Device  1: (UUID: MIG-a28ad590-3fda-56dd-84fc-0a0b96edc58d)
GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-b)
`;
    expect(parseMigInstances(text)).toEqual([
      {
        index: 100,
        uuid: "MIG-c7384736-a75d-5afc-978f-d2f1294409fd",
        model: "NVIDIA A100-SXM4-40GB MIG 3g.20gb",
        type: "a100_3g.20gb",
        memoryMiB: 20_480,
      },
      {
        index: 101,
        uuid: "MIG-a28ad590-3fda-56dd-84fc-0a0b96edc58d",
        model: "NVIDIA A100-SXM4-40GB MIG 1g.5gb",
        type: "a100_1g.5gb",
        memoryMiB: 5120,
      },
    ]);
  });
});
