// The agent's real listener, store and history, without a kernel: a test tells them what the kernel counted.
import type { AgentReport } from '../../agent/src/exposition/report.ts';
import { createFamilies } from '../../agent/src/exposition/families.ts';
import { loadPage } from '../../agent/src/exposition/page.ts';
import { startServer } from '../../agent/src/exposition/server.ts';
import { createTextExposition } from '../../agent/src/exposition/text.ts';
import { createApi } from '../../agent/src/history/api.ts';
import { createHistory } from '../../agent/src/history/history.ts';
import type { WebConfig } from '../../agent/src/http/web-config.ts';
import { probe as http } from '../../agent/src/probes/http.ts';
import { createStore } from '../../agent/src/series/store.ts';
import { unknownWorkload } from '../../agent/src/workloads/workload.ts';

/** Requests of one version in a window: how many, and how slow. */
export interface Requests {
  readonly app: string;
  readonly version: string;
  readonly count: number;
  /** Kernel bucket of the fastest: eight more are twice as slow. */
  readonly bucket: number;
}

export interface ToldAgent {
  readonly url: string;
  /** What it says of itself from now on. */
  readonly report: (change: Partial<AgentReport>) => void;
  /** Lets so many windows pass, up to now, in each of which these requests come. */
  readonly count: (windows: number, requests: readonly Requests[]) => void;
  /** Forgets all, as one that was started anew. */
  readonly restart: () => void;
  readonly close: () => Promise<void>;
}

const windowMs = 1000;
const lengthMs = 900_000;

/** Starts it on `port`; 0 takes a free one. */
export async function startToldAgent(webConfig: WebConfig, port = 0): Promise<ToldAgent> {
  let report: AgentReport = {
    node: 'worker-1',
    version: '1.0.0',
    notReady: null,
    historySeconds: lengthMs / 1000,
    windowSeconds: windowMs / 1000,
    marginSeconds: 0.002,
    probes: [{ name: 'http', mode: 'full', isOverBudget: false, lacking: [] }],
    unknownRequests: 0,
    sources: [],
  };
  let world = emptyWorld();
  const server = await startServer({
    host: '127.0.0.1',
    port,
    webConfig,
    log: { error: () => undefined, warn: () => undefined },
    expositions: { text: noMetrics, openMetrics: noMetrics, protobuf: noMetrics },
    notReady: () => undefined,
    series: () => ({}),
    api: (path, query) =>
      createApi({
        report: () => report,
        history: world.history,
        node: report.node,
        options: { marginSeconds: report.marginSeconds },
      })(path, query),
    page: await loadPage(),
  });
  return {
    url: `${server.url}/`,
    report: (change) => {
      report = { ...report, ...change };
    },
    count: (windows, requests) => {
      world.count(windows, requests);
    },
    restart: () => {
      world = emptyWorld();
    },
    close: server.close,
  };
}

const noMetrics = createTextExposition(createFamilies(createStore([]), []));

function emptyWorld() {
  const store = createStore(http.metrics);
  const history = createHistory({ windowMs, lengthMs, maxBytes: 1e8 });
  const totals = new Map<string, number>();
  const names: string[] = [];
  let toldMs = 0;
  const add = ({ app, version, count, bucket }: Requests) => {
    const name = `${app} ${version}`;
    if (!names.includes(name)) names.push(name);
    [0.4, 0.3, 0.2, 0.1].forEach((share, i) => {
      const key = `${names.indexOf(name)},2,${bucket + i}`;
      totals.set(key, (totals.get(key) ?? 0) + Math.round(share * count));
    });
  };
  const workloadOf = (id: string) => {
    const [app, version] = names[Number(id)]?.split(' ') ?? [];
    return app && version ? { namespace: 'shop', app, version } : unknownWorkload;
  };
  return {
    history,
    count: (windows: number, requests: readonly Requests[]) => {
      const first = Math.max(toldMs, Date.now() - windows * windowMs);
      if (toldMs === 0) history.observe(store, first);
      for (let nowMs = first + windowMs; nowMs <= first + windows * windowMs; nowMs += windowMs) {
        requests.forEach(add);
        store.apply({ run: 1, maps: new Map([['@http_requests', new Map(totals)]]) }, workloadOf);
        history.observe(store, nowMs);
        toldMs = nowMs;
      }
    },
  };
}
