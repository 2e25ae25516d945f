/** Settings of elastic nodes: machines that another batch system lends. */

import type { Key } from "./setting.ts";

export interface ElasticSettings {
  /** Seconds between looks at the batch systems that lend machines. */
  readonly elasticIntervalS: number;
}

export const ELASTIC_SETTINGS: { readonly [K in keyof ElasticSettings]: Key<ElasticSettings[K]> } = {
  elasticIntervalS: {
    key: "elastic.interval",
    about: "seconds between looks at the batch systems that lend machines (mgpu alloc)",
    isLive: true,
    variable: "MGPU_ELASTIC_INTERVAL",
    fallback: 10,
    parse: (text) => (/^\d{1,4}(\.\d{1,3})?$/.test(text) && Number(text) >= 0.5 ? Number(text) : undefined),
    expected: "seconds, at least 0.5",
  },
};
