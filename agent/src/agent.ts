// In: a configuration. Out: a running agent: bpftrace → snapshots → workloads → store → HTTP.
import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { readJiffyClock } from './bpftrace/clock.ts';
import { checkUser, describeFindings, preflight } from './bpftrace/preflight.ts';
import { checkThreads } from './bpftrace/threads.ts';
import type { Snapshot } from './bpftrace/run.ts';
import type { Config } from './config.ts';
import { createFamilies } from './exposition/families.ts';
import { loadPage } from './exposition/page.ts';
import { createProtobufExposition } from './exposition/protobuf.ts';
import { agentReport } from './exposition/report.ts';
import { selfMetrics, snapshotAgeSeconds, type AgentState } from './exposition/self.ts';
import { startServer } from './exposition/server.ts';
import { createOpenMetricsExposition, createTextExposition } from './exposition/text.ts';
import { fitProbes, type FittedProbe } from './fit.ts';
import { cgroupMetrics, createCgroupReader } from './files/cgroups.ts';
import { nodeMetrics } from './files/node.ts';
import { findCgroupRoots } from './files/read.ts';
import { runGroup, untilAborted } from './group.ts';
import { openWebConfig, type WebConfig } from './http/web-config.ts';
import { createApi } from './history/api.ts';
import { createHistory } from './history/history.ts';
import { newMeasureState } from './measure.ts';
import { privilegedHere, type Plan, type Privileged } from './privileged.ts';
import {
  chooseProbes,
  loadProbes,
  mapKindsOf,
  metricsOf,
  sheddingOrder,
  switchCosts,
  textOf,
} from './probes.ts';
import { seriesAsJson } from './series/json.ts';
import { createStore, workloadKey } from './series/store.ts';
import { packageVersion } from './version.ts';
import type { Workload } from './workloads/workload.ts';
import { createWorkloads } from './workloads/workloads.ts';

const evictionPauseMs = 30_000;
const threadsPauseMs = 60_000;
/** Reading the files of cgroups takes at most this share of one core. */
const filesShare = 1 / 200;

/** A node that cannot be measured at all; the message names each finding with its remedy. */
export class PreflightError extends Error {
  override readonly name = 'PreflightError';
}

export interface AgentOptions {
  /** Called with the address once the agent listens, before it has read a request. */
  readonly onListening?: (url: string) => void;
  /** Who does what takes rights; by default this process. */
  readonly privileged?: Privileged;
  /** By default everybody may ask, in clear text. */
  readonly webConfig?: WebConfig;
}

/**
 * Runs until `signal` aborts; resolves when bpftrace and the listener are gone.
 *
 * @throws PreflightError when something that every probe needs is missing
 * @throws Error when the address cannot be listened on
 */
export const runAgent = async (
  config: Config,
  log: Logger,
  signal: AbortSignal,
  {
    onListening = () => undefined,
    privileged = privilegedHere,
    webConfig = openWebConfig,
  }: AgentOptions = {},
): Promise<void> => {
  const ground = await preflight(config.bpftrace.path);
  const lacking = [...ground.findings, checkUser(config.user)].filter(({ status }) => status === 'missing');
  if (lacking.length > 0 || ground.cgroupRoot === undefined)
    throw new PreflightError(describeFindings(lacking));
  const probes = fitProbes(chooseProbes(await loadProbes(), config.probes), ground);
  for (const probe of probes) logFit(probe, log);
  const loaded = probes.filter(({ mode }) => mode !== 'none');
  const clock = await readJiffyClock();
  const measurePlan = {
    probes: Object.fromEntries(
      loaded.map((probe) => [probe.name, textOf(probe, clock, config.tcp.peerPorts)]),
    ),
    first: config.bpftrace.quickStart ? loaded.filter(({ isFirst }) => isFirst).map(({ name }) => name) : [],
    kinds: mapKindsOf(loaded, config.bpftrace.maxMapKeys),
    intervalMs: config.interval,
    bpftrace: { ...config.bpftrace, btfFile: ground.btfFile },
    budget: { ...config.budget, order: sheddingOrder(loaded), switchNs: switchCosts(loaded) },
  };
  const plan: Plan = {
    measure: loaded.length === 0 ? undefined : measurePlan,
    dockerSocket: config.workloads.docker.enabled === false ? undefined : config.workloads.docker.socket,
  };

  const workloads = createWorkloads({
    config: config.workloads,
    nodeName: config.node,
    cgroupRoot: ground.cgroupRoot,
    log,
    listContainers: privileged.listContainers,
  });
  const store = createStore([...metricsOf(probes), ...cgroupMetrics]);
  const history = createHistory({
    windowMs: config.history.window,
    lengthMs: config.history.length,
    maxBytes: config.history.maxMegabytes * 1e6,
  });
  const measuring = newMeasureState();
  const mapEntries = new Map<string, number>();
  const state: AgentState = {
    measuring,
    workloads,
    probes,
    info: { version: packageVersion, bpftrace: ground.bpftraceVersion ?? 'unknown', kernel: release() },
    maxMapKeys: config.bpftrace.maxMapKeys,
    mapEntries,
    history,
    privilegedCost: privileged.cost,
  };

  /** Snapshots one after the other, though looking up workloads takes its time. */
  let applied = Promise.resolve();
  const cgroupRoots = findCgroupRoots(ground.cgroupRoot, readFileSync('/proc/self/mountinfo', 'utf8'));
  const cgroupReader = createCgroupReader(cgroupRoots);
  const readCgroups = async () => {
    const start = process.cpuUsage();
    const snapshot = await cgroupReader.read(workloads.list());
    applied = applied.then(() => {
      store.apply(snapshot, (cgroupId) => workloads.workloadOf(cgroupId));
    });
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1000;
  };
  const onSnapshot = (snapshot: Snapshot) => {
    applied = applied.then(async () => {
      await workloads.resolve(store.movedCgroups(snapshot));
      store.apply(snapshot, (cgroupId) => workloads.workloadOf(cgroupId));
      history.observe(store, Date.now());
      for (const [map, values] of snapshot.maps) mapEntries.set(map, values.size);
    });
  };

  const families = createFamilies(store, [...selfMetrics(state), ...nodeMetrics()]);
  const server = await startServer({
    ...config.listen,
    webConfig,
    log,
    expositions: {
      text: createTextExposition(families, config.node),
      openMetrics: createOpenMetricsExposition(families, config.node),
      protobuf: createProtobufExposition(families, config.node),
    },
    notReady: () => notReady(state, config.interval),
    series: () => seriesAsJson(store, Date.now(), measuring.off),
    api: createApi({
      report: () => agentReport({ config, state, store, notReady: () => notReady(state, config.interval) }),
      history,
      node: config.node,
      options: { marginSeconds: config.verdict.margin / 1000 },
    }),
    page: await loadPage(),
  });
  log.info({ url: server.url, ...state.info, probes: loaded.map(({ name }) => name) }, 'agent listens');
  onListening(server.url);

  await runGroup(
    [
      async (stop) => {
        await privileged.measure(plan, { log, signal: stop, state: measuring, onSnapshot });
        await applied;
      },
      async (stop) => {
        await workloads.run(stop);
        await untilAborted(stop);
      },
      async (stop) => {
        while (!stop.aborted) {
          const tookMs = await readCgroups();
          const pauseMs = Math.max(config.interval, tookMs / filesShare);
          await sleep(pauseMs, undefined, { signal: stop }).catch(() => undefined);
        }
      },
      async (stop) => {
        while (!stop.aborted) {
          await sleep(evictionPauseMs, undefined, { signal: stop }).catch(() => undefined);
          const living = new Set(workloads.list().map(({ workload }) => workloadKey(workload)));
          const isAlive = (workload: Workload) => living.has(workloadKey(workload));
          const evicted = store.evict(isAlive, Date.now() - config.series.retention);
          if (evicted > 0) log.info({ evicted }, 'dropped series of workloads that are gone');
        }
      },
      (stop) => watchThreads(config.bpftrace.maxMapKeys, log, stop),
      async (stop) => {
        await untilAborted(stop);
        await server.close();
      },
    ],
    signal,
  );
};

/** What a probe does not do here is said once, by name; the rest runs. */
const logFit = ({ name, mode, lacking }: FittedProbe, log: Logger): void => {
  if (mode === 'full') return;
  const details = { probe: name, lacking: describeFindings(lacking) };
  if (mode === 'none') log.error(details, 'probe left out');
  else log.warn(details, 'probe reduced');
};

const watchThreads = async (maxMapKeys: number, log: Logger, stop: AbortSignal): Promise<void> => {
  let wasWarned = false;
  while (!stop.aborted) {
    const finding = checkThreads(maxMapKeys);
    const isWarned = finding.status === 'warning';
    if (isWarned && !wasWarned)
      log.warn({ threads: describeFindings([finding]) }, 'threads fill kernel maps');
    wasWarned = isWarned;
    await sleep(threadsPauseMs, undefined, { signal: stop }).catch(() => undefined);
  }
};

const notReady = ({ measuring }: AgentState, intervalMs: number): string | undefined => {
  const age = snapshotAgeSeconds(measuring);
  if (age === undefined) return 'no snapshot of the kernel yet';
  return age * 1000 < 3 * intervalMs
    ? undefined
    : `the latest snapshot of the kernel is ${age.toFixed(1)} s old`;
};
