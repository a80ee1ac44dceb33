// Windows in, one after another; everything that a verdict rests on, at constant cost a window, out.
import { layoutOf } from './buckets.ts';
import type { Layout } from './buckets.ts';
import { each, wrong } from './checks.ts';
import { emptyCoTenants, pushCoTenants } from './cotenant.ts';
import type { CoTenants } from './cotenant.ts';
import { emptyCovariate, pushCovariate } from './covariate.ts';
import type { Covariate } from './covariate.ts';
import { emptyEvidence, pushEvents } from './evidence.ts';
import type { Evidence } from './evidence.ts';
import { errorStrata } from './exposures.ts';
import { sumSeconds } from './histogram.ts';
import { emptyLadder, pushPair } from './ladder.ts';
import type { Rung } from './ladder.ts';
import { emptyPairs, fillPairs } from './matching.ts';
import type { WindowPairs } from './matching.ts';
import { emptyNodes, pushNodes } from './nodes.ts';
import type { Nodes } from './nodes.ts';
import { emptyOnCall, pushOnCall } from './oncall.ts';
import type { OnCall } from './oncall.ts';
import type { Settings } from './options.ts';
import { emptyRoster } from './roster.ts';
import type { Roster } from './roster.ts';
import { emptySignal, pushSignal } from './signals.ts';
import type { SignalState } from './signals.ts';
import type { Cell, Subject, Window } from './types.ts';
import { emptyWaits, pushWaits } from './waits.ts';
import type { Waits } from './waits.ts';
import { emptyWarmup, warmOf } from './warmup.ts';
import type { Warmup } from './warmup.ts';
import type { CheckedWindow } from './window.ts';

/** A run so far. */
export interface State {
  readonly subject: Subject;
  readonly settings: Settings;
  readonly layout: Layout;
  readonly roster: Roster;
  readonly warmup: Warmup;
  readonly pairs: WindowPairs;
  readonly matched: readonly Rung[];
  readonly raw: readonly Rung[];
  readonly net: readonly Rung[];
  readonly coTenants: CoTenants;
  readonly covariate: Covariate;
  readonly nodes: Nodes;
  readonly waits: Waits;
  readonly evidence: Evidence;
  readonly signals: Map<string, SignalState>;
  readonly onCall: OnCall;
  /** Requests of the canary whose durations count, and of those, the ones that each grade covers. */
  readonly coverage: { canary: number; matched: number; net: number; coTenant: number };
  /** Whether each arm has ever shown how long its requests take. */
  readonly durationsSeen: { canary: boolean; baseline: boolean };
  readonly delay: { readonly canary: Delay; readonly baseline: Delay };
  readonly steal: { readonly canary: Steal; readonly baseline: Steal };
  /** Looks in a row at which everything spoke for a pass. */
  streak: number;
  looks: number;
  firstStart: number | undefined;
  lastEnd: number | undefined;
}

interface Delay {
  schedSeconds: number;
  seconds: number;
}

/** Requests of cells that tell what share of their CPU time was stolen, and the sum of those shares. */
interface Steal {
  stolen: number;
  requests: number;
}

/** Returns a run without windows. */
export function emptyState(subject: Subject, settings: Settings): State {
  return {
    subject,
    settings,
    layout: layoutOf(subject.buckets),
    roster: emptyRoster(),
    warmup: emptyWarmup(),
    pairs: emptyPairs(),
    matched: emptyLadder(settings.tail),
    raw: emptyLadder(settings.tail),
    net: emptyLadder(settings.tail),
    coTenants: emptyCoTenants(settings.tail),
    covariate: emptyCovariate(),
    nodes: emptyNodes(),
    waits: emptyWaits(),
    evidence: emptyEvidence(settings.failMargin),
    signals: new Map(),
    onCall: emptyOnCall(),
    coverage: { canary: 0, matched: 0, net: 0, coTenant: 0 },
    durationsSeen: { canary: false, baseline: false },
    delay: { canary: { schedSeconds: 0, seconds: 0 }, baseline: { schedSeconds: 0, seconds: 0 } },
    steal: { canary: { stolen: 0, requests: 0 }, baseline: { stolen: 0, requests: 0 } },
    streak: 0,
    looks: 0,
    firstStart: undefined,
    lastEnd: undefined,
  };
}

/**
 * Adds a checked window.
 * @throws VerdictInputError where a signal changes its kind or direction; the state is then as it was.
 */
export function pushWindow(state: State, window: CheckedWindow): void {
  const { subject, settings, onCall } = state;
  checkSignals(state, window);
  state.firstStart ??= window.end - subject.windowSeconds;
  state.lastEnd = window.end;
  state.looks += 1;
  pushOnCall(onCall, window, subject.windowSeconds);
  for (const { arm, durations } of window.cells) {
    if (durations && (arm === 'canary' || arm === 'baseline')) state.durationsSeen[arm] = true;
  }
  // Warm-up excuses slowness, not errors: a user who got one does not ask how old the pod was.
  pushEvents(state.evidence, errorStrata(window.members), subject.windowSeconds);
  for (const signal of window.signals ?? []) {
    const known = state.signals.get(signal.name) ?? emptySignal(signal, settings);
    state.signals.set(signal.name, known);
    pushSignal(known, signal.cells, subject.windowSeconds);
  }
  pushLatency(state, window);
}

function pushLatency(state: State, window: CheckedWindow): void {
  const { pairs, layout, coverage, delay } = state;
  const { subject, settings } = state;
  const members = warmOf(state.warmup, window.members, window.end, subject.windowSeconds, settings);
  const cells = members.map(({ cell }) => cell);
  const { canary, matched, net } = fillPairs(pairs, members);
  coverage.canary += canary;
  coverage.matched += matched;
  coverage.net += net;
  pushPair(state.matched, pairs.matched, layout);
  pushPair(state.raw, pairs.raw, layout);
  pushPair(state.net, pairs.net, layout);

  const unmatched = coverage.matched < coverage.canary / 2;
  pushNodes(state.nodes, members, unmatched);
  pushWaits(state.waits, cells);
  pushSteal(state.steal, cells);
  if (unmatched && pushCoTenants(state.coTenants, cells, pairs.raw, layout)) coverage.coTenant += canary;
  if (unmatched) pushCovariate(state.covariate, cells, layout);
  if (cells.some(({ schedDelaySeconds }) => schedDelaySeconds !== undefined)) {
    for (const arm of ['canary', 'baseline'] as const) {
      delay[arm].seconds += sumSeconds(pairs.raw[arm], layout);
      for (const cell of cells) {
        if (cell.arm === arm) delay[arm].schedSeconds += cell.schedDelaySeconds ?? 0;
      }
    }
  }
}

function pushSteal(steal: State['steal'], cells: readonly Cell[]): void {
  for (const { arm, requests, contention } of cells) {
    if (contention?.stealShare === undefined || (arm !== 'canary' && arm !== 'baseline')) continue;
    steal[arm].stolen += requests * contention.stealShare;
    steal[arm].requests += requests;
  }
}

function checkSignals({ signals: known }: State, { signals = [] }: Window): void {
  each(signals, 'signals', (_, i) => {
    const signal = signals[i];
    const before = signal && known.get(signal.name);
    if (!before) return;
    for (const key of ['kind', 'better'] as const) {
      if (before[key] !== signal[key]) wrong(key, `${before[key]}, as in earlier windows`, signal[key]);
    }
  });
}
