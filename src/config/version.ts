/** The program's version, put in by the build. */

declare const MGPU_BUILD_VERSION: string | undefined;

export const VERSION: string = typeof MGPU_BUILD_VERSION === "string" ? MGPU_BUILD_VERSION : "0.0.0-source";
