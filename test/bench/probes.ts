// In: probes, a load and other tools. Out: what each program costs, all on the same load at the same time.
import { execa } from 'execa';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { readJiffyClock } from '../../agent/src/bpftrace/clock.ts';
import { compose, ownedPrograms, type OwnedProgram } from '../../agent/src/bpftrace/compose.ts';
import { programTypes, readPrograms, type ProgramReading } from '../../agent/src/cost/programs.ts';
import { chooseProbes, loadProbes, textOf } from '../../agent/src/probes.ts';
import { withBpfStats } from './cost.ts';

export interface Cost {
  readonly runs: number;
  readonly nanoseconds: number;
}

export interface ProgramCost extends OwnedProgram, Cost {
  /** That of a program on the same event that does nothing. */
  readonly floor: Cost;
}

export interface Measured<Result> {
  readonly result: Result;
  readonly programs: readonly ProgramCost[];
  /** All programs of the peer together; a text says why it does not run here. */
  readonly peer: Cost | string | undefined;
}

/** A process that holds programs. */
export interface Tool {
  readonly pid: number;
  /** Why it does not run. */
  readonly failure: string | undefined;
  readonly stop: () => Promise<void>;
}

/** Runs `load` beside these probes, beside an empty program for each of theirs, and beside the peer. */
export const costOfPrograms = async <Result>(
  names: readonly string[],
  load: () => Promise<Result>,
  startPeer?: () => Promise<Tool>,
): Promise<Measured<Result>> => {
  const clock = await readJiffyClock();
  const texts = Object.fromEntries(
    chooseProbes(await loadProbes(), names).map((probe) => [probe.name, textOf(probe, clock)]),
  );
  // Without a token nobody can ask, and the program that is asked is not there.
  const owned = ownedPrograms(texts).slice(0, -1);
  const empty = owned.map(({ attachPoint }) => `${attachPoint} { $nothing = 1; }\n`).join('');
  const program = compose(Object.values(texts), () => '', 1000);
  const tools = await Promise.all([
    startBpftrace(program, owned.length),
    startBpftrace(empty, owned.length),
    startPeer?.(),
  ]);
  try {
    const pids = tools.map((tool) => tool?.pid ?? 0);
    const read = () => Promise.all(pids.map((pid) => readPrograms(pid)));
    const [before, result, after] = await withBpfStats(
      async () => [await read(), await load(), await read()] as const,
    );
    const grown = (type: number) => after.map((programs, at) => growth(type, before[at], programs));
    const [ours = [], floors = [], others = []] = grown(programTypes.tracepoint);
    const traced = owned.filter(({ attachPoint }) => attachPoint.startsWith('tracepoint:'));
    if (ours.length !== traced.length || floors.length !== traced.length)
      throw new Error(
        `Expected ${traced.length} programs, got ${ours.length} and ${floors.length} empty ones`,
      );
    // BEGIN and END are uprobes as well, but do not run meanwhile.
    const [uprobes = nothing, emptyUprobes = nothing] = grown(programTypes.kprobe).map(sum);
    return {
      result,
      programs: [
        ...traced.map((one, at) => ({ ...one, ...(ours[at] ?? nothing), floor: floors[at] ?? nothing })),
        { probe: names.join(), attachPoint: 'all uprobes', ...uprobes, floor: emptyUprobes },
      ],
      peer: startPeer && (tools[2]?.failure ?? sum(others)),
    };
  } finally {
    await Promise.all(tools.map(async (tool) => tool?.stop()));
  }
};

const nothing: Cost = { runs: 0, nanoseconds: 0 };

export const sum = (costs: readonly Cost[]): Cost =>
  costs.reduce(
    (total, { runs, nanoseconds }) => ({
      runs: total.runs + runs,
      nanoseconds: total.nanoseconds + nanoseconds,
    }),
    nothing,
  );

/** Of the programs of one type. */
const growth = (
  wanted: number,
  before: readonly ProgramReading[] = [],
  after: readonly ProgramReading[],
): readonly Cost[] => {
  const was = new Map(before.map((one) => [one.id, one]));
  return after
    .filter(({ type }) => type === wanted)
    .map(({ id, runs, nanoseconds }) => ({
      runs: runs - (was.get(id)?.runs ?? 0),
      nanoseconds: nanoseconds - (was.get(id)?.nanoseconds ?? 0),
    }));
};

/** Debian's own, of the package bpftrace. The header that it includes does not compile beside a kernel's BTF. */
export const startRunqlat = async (): Promise<Tool> => {
  const text = await readFile('/usr/sbin/runqlat.bt', 'utf8');
  return startBpftrace(text.replace('#include <linux/sched.h>', '#define TASK_RUNNING 0'));
};

export const startBpftrace = (program: string, programs?: number): Promise<Tool> =>
  startTool(['bpftrace', '-'], program, programs);

/** Resolves when its programs, at least so many, are at work, or when it has ended. */
export const startTool = async (
  [command = '', ...args]: readonly string[],
  input?: string,
  least = 1,
): Promise<Tool> => {
  const child = execa(command, args, {
    ...(input !== undefined && { input }),
    env: { BPFTRACE_MAP_KEYS_MAX: '16384', BPFTRACE_MAX_MAP_KEYS: '16384' },
    stdout: 'ignore',
    reject: false,
    forceKillAfterDelay: 3000,
  });
  let failure: string | undefined;
  void child.then(({ stderr, shortMessage = '' }) => {
    const lines = stderr.split('\n');
    failure = lines.find((line) => /headers|lib.modules|ERROR: (?!.*RLIMIT)/.test(line)) ?? shortMessage;
  });
  const count = async () =>
    (await readPrograms(child.pid ?? 0)).filter(({ type }) => type !== programTypes.perfEvent).length;
  // They are loaded and attached one by one: there are all of them when for a second none has come.
  for (let last = 0, quietMs = 0; failure === undefined && quietMs < 1000;) {
    await sleep(200);
    const found = await count();
    quietMs = found === last && found >= least ? quietMs + 200 : 0;
    last = found;
  }
  return {
    pid: child.pid ?? 0,
    failure,
    stop: async () => {
      child.kill();
      await child;
    },
  };
};
