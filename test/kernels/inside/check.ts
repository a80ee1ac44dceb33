// What a probe's own check (checks/NAME.ts) gets, and what it says.
import type { Child } from '../../../demo/child.ts';
import type { RunningAgent } from '../../support/agent.ts';

/** A node in small: a running agent, and workloads in cgroups that it knows by name. */
export interface Rig {
  readonly agent: RunningAgent;
  /** The mode in which the agent runs this probe. */
  readonly mode: 'full' | 'reduced';
  /** Starts a command in the cgroup of this app and version. */
  readonly start: (command: readonly string[], app: string, version?: string) => Promise<Child>;
  /** Says whether a sentence holds; `found` is shown when it does not. */
  readonly expect: (sentence: string, ok: boolean, found?: unknown) => void;
  /** As `expect`, for a count: less is right as far as the kernel skipped runs of a program. */
  readonly expectCount: (sentence: string, expected: number, counted: number) => Promise<void>;
}

/** Drives real servers and clients and compares what the agent says of them with what they know themselves. */
export type Check = (rig: Rig) => Promise<void>;
