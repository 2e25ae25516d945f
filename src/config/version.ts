/** The program's version and the commit that it was made from, put in by the build. */

declare const MGPU_BUILD_VERSION: string | undefined;
declare const MGPU_BUILD_COMMIT: string | undefined;

export const VERSION: string = typeof MGPU_BUILD_VERSION === "string" ? MGPU_BUILD_VERSION : "0.0.0-source";

/** Short, with a + if sources differed from it; empty if it was not made in a repository. */
export const COMMIT: string = typeof MGPU_BUILD_COMMIT === "string" ? MGPU_BUILD_COMMIT : "";
