// In: /proc/stat, again and again, and which CPUs somebody may run on. Out: what a hypervisor took of each second that ran.
import { parseCpuTimes, type CpuTimes } from './parse.ts';
import { readText } from './read.ts';

export interface StealWatch {
  /** Reads the times of all CPUs. */
  observe(): void;
  /** Whether the hypervisor has taken anything since the agent started. */
  isSeen(): boolean;
  /**
   * Seconds that were stolen lately for each second that these CPUs ran; of all CPUs without a list. The kernel tells it in
   * ticks of 10 ms, so that it is taken over some five readings.
   */
  perSecondRun(cpus?: readonly number[]): number;
}

/** How much of what was known at the last reading is still of weight. */
const remembered = 0.8;
/** All lines of a thousand CPUs. */
const enoughBytes = 65_536;

export const createStealWatch = (read = () => readText('/proc/stat', enoughBytes) ?? ''): StealWatch => {
  let before: ReadonlyMap<number, CpuTimes> = new Map();
  let recent: ReadonlyMap<number, CpuTimes> = new Map();
  let isSeen = false;

  return {
    observe: () => {
      const now = parseCpuTimes(read());
      recent = new Map(
        [...now].map(([cpu, times]) => {
          const [last, known = nothing] = [before.get(cpu) ?? times, recent.get(cpu)];
          const stolen = Math.max(0, times.stolen - last.stolen);
          isSeen ||= stolen > 0;
          return [
            cpu,
            {
              run: remembered * known.run + Math.max(0, times.run - last.run),
              stolen: remembered * known.stolen + stolen,
            },
          ];
        }),
      );
      before = now;
    },
    isSeen: () => isSeen,
    perSecondRun: (cpus) => {
      const times = cpus === undefined ? [...recent.values()] : cpus.map((cpu) => recent.get(cpu) ?? nothing);
      const [run, stolen] = [sum(times.map((one) => one.run)), sum(times.map((one) => one.stolen))];
      return stolen > 0 ? stolen / Math.max(run, 1) : 0;
    },
  };
};

const nothing: CpuTimes = { run: 0, stolen: 0 };

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
