// In: commands of servers. Out: each under an app name, and in a cgroup, of its own, so that its counts start at nothing.
import type { CgroupTree } from '../../demo/cgroup.ts';
import { startChild, type Child } from '../../demo/child.ts';

export interface Servers {
  /** Starts a command whose first line is its port; its app is `name` with a number, its version v1. */
  readonly start: (name: string, command: readonly string[]) => Promise<{ app: string; port: number }>;
  readonly stop: () => Promise<void>;
}

/** Configuration of the agent: cgroups `app-version` in the tree are versions by these names. */
export const versionsIn = (tree: CgroupTree): string =>
  `workloads: { static: [{ cgroup: "${tree.path}/*-*", app: $1, version: $2 }] }`;

/** A file of servers/ beside this one. */
export const serverScript = (name: string): string => new URL(`servers/${name}`, import.meta.url).pathname;

export const createServers = (tree: CgroupTree): Servers => {
  const children: Child[] = [];
  return {
    start: async (name, command) => {
      const app = `${name}${children.length + 1}`;
      const child = await startChild(command, { tree, cgroup: `${app}-v1` });
      children.push(child);
      return { app, port: Number(await child.firstLine()) };
    },
    stop: async () => {
      await Promise.all(children.map((child) => child.stop()));
    },
  };
};
